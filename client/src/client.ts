import { type Notifications, createNotifications } from './notifications.ts';
import { type Operations, createOperations } from './operations.ts';
import { type ClientOptions, settingsOf } from './options.ts';
import { type Resources, createResources } from './resources.ts';
import { type EventStream, type StreamOptions, createEventStream } from './stream.ts';
import { createTransport } from './transport.ts';

export interface SluiceClient extends Resources, Notifications {
  readonly operations: Operations;
  /** As `operations.submit`: it is what is called most. */
  readonly submit: Operations['submit'];
  readonly submitBulk: Operations['submitBulk'];
  readonly waitFor: Operations['waitFor'];
  readonly events: {
    /** Events as they happen; comes back by itself, and goes on where it was. */
    stream(options?: StreamOptions): EventStream;
  };
}

/**
 * A client of the API at one address, with one key. It opens nothing and has nothing to close.
 *
 * @throws SluiceError `invalid_argument` for options that cannot be right.
 */
export function createClient(options: ClientOptions): SluiceClient {
  const transport = createTransport(settingsOf(options));
  const operations = createOperations(transport);
  const { submit, submitBulk, waitFor } = operations;
  return Object.freeze({
    ...createResources(transport),
    ...createNotifications(transport),
    ...{ operations, submit, submitBulk, waitFor },
    events: Object.freeze({
      stream: (streamOptions?: StreamOptions) => createEventStream(transport, streamOptions),
    }),
  });
}
