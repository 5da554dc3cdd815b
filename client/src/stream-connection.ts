import { refused } from './attempt.ts';
import { abortedBy } from './clock.ts';
import { SluiceError, errorOf, invalidArgument, problemIn } from './errors.ts';
import { parsed } from './json.ts';
import { timerOf } from './options.ts';
import { readText } from './read-body.ts';
import type { EventFilter } from './notifications.ts';
import type { CallOptions, Transport } from './transport.ts';

/** One connection of a stream, until it is cut. */
interface Connected {
  /** Undefined at the end of the stream. */
  read(): Promise<Uint8Array | undefined>;
  close(): void;
}

export interface ConnectionOptions extends Pick<CallOptions, 'signal' | 'correlationId'> {
  /** Only what that user may see. */
  readonly userId?: string | undefined;
  readonly events?: readonly EventFilter[] | undefined;
  /** Goes on after that event; `0-0`: everything that is kept. */
  readonly lastEventId?: string | undefined;
  /** Nothing for so long, not even a heartbeat: the connection is dead. 45 s. */
  readonly heartbeatTimeoutMs?: number | undefined;
}

const HEARTBEAT_TIMEOUT_MS = 45_000;

type InTime = <T>(work: Promise<T>) => Promise<T>;

/** @throws SluiceError when there is no stream to be had: `retryable` when there may be later. */
export async function connectStream(
  transport: Transport,
  options: ConnectionOptions,
  lastEventId: string | undefined,
): Promise<Connected> {
  const { settings } = transport;
  const { signal, userId, events } = options;
  if (events?.length === 0) throw invalidArgument('events must name at least one, or be left out');
  const stopping = new AbortController();
  const stop = (): void => {
    stopping.abort();
  };
  signal?.addEventListener('abort', stop, { once: true });
  const close = (): void => {
    signal?.removeEventListener('abort', stop);
    stop();
  };
  const inTime = createInTime(transport, options, stop);
  try {
    const headers = {
      ...(await transport.headersOf({ options })),
      accept: 'text/event-stream',
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    };
    const url = transport.urlOf('/v1/stream', { userId, events: events?.join(',') });
    const init = { headers, redirect: 'manual', signal: stopping.signal } as const;
    const response = await inTime(settings.fetch(url, init));
    const reader = (await inTime(streamIn(response, transport))).getReader();
    return { close, read: async () => (await inTime(reader.read())).value };
  } catch (error) {
    close();
    throw error;
  }
}

/** Nothing is waited for longer than the server may be silent. */
function createInTime(
  { settings }: Transport,
  { signal, heartbeatTimeoutMs = HEARTBEAT_TIMEOUT_MS }: ConnectionOptions,
  stop: () => void,
): InTime {
  const silentMs = timerOf('heartbeatTimeoutMs', heartbeatTimeoutMs);
  return async (work) => {
    let isSilent = false;
    const cancel = settings.clock.after(silentMs, () => {
      isSilent = true;
      stop();
    });
    try {
      return await work;
    } catch (cause) {
      if (signal?.aborted === true) throw abortedBy(signal);
      if (cause instanceof SluiceError) throw cause;
      const options = { cause, retryable: true };
      if (isSilent) throw new SluiceError('client_timeout', `Silent for ${silentMs} ms`, options);
      throw new SluiceError('network', 'The stream was cut', options);
    } finally {
      cancel();
    }
  };
}

async function streamIn(
  response: Response,
  { settings }: Transport,
): Promise<ReadableStream<Uint8Array>> {
  const { status, headers } = response;
  const body = response.body as ReadableStream<Uint8Array> | null;
  const isStream = headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (status === 200 && isStream && body !== null) return body;
  const problem = problemIn(parsed(await readText(response, settings.responseBytesMax)));
  if (status < 400) {
    throw new SluiceError('bad_response', 'The answer is no stream', { status, retryable: true });
  }
  const { code, message, options } = refused(headers, {
    status,
    problem,
    nowMs: settings.clock.now(),
  });
  throw errorOf(code, message, options);
}
