import { throwIfAborted } from './clock.ts';
import { SluiceError } from './errors.ts';
import type { EventData } from './generated/events.ts';
import { isObject, parsed } from './json.ts';
import type { EventName } from './notifications.ts';
import { RETRY_DEFAULTS, waitMsOf } from './retry.ts';
import { type SseBlock, createSseParser } from './sse-parser.ts';
import { type ConnectionOptions, connectStream } from './stream-connection.ts';
import type { Transport } from './transport.ts';

/** Something that became true. The same document that a webhook brings. */
export type SluiceEvent = {
  readonly [N in EventName]: {
    readonly id: string;
    readonly type: N;
    /** When it happened. */
    readonly timestamp: string;
    readonly operationId?: string;
    readonly data: EventData[N];
  };
}[EventName];

/** What came after the event `after` is not all kept any more: read what you need from the API. */
export interface StreamGap {
  readonly type: 'gap';
  readonly after: string;
}

export interface StreamOptions extends ConnectionOptions {
  /** Gives up when it could not come back for so long; 10 minutes. */
  readonly giveUpAfterMs?: number | undefined;
  /** Told of every connection: `resumed` when everything after the last event is coming. */
  readonly onReady?:
    ((ready: { readonly position: string; readonly resumed: boolean }) => void) | undefined;
  /** Told of every connection that has ended, before it is made again. */
  readonly onReconnect?: ((reason: SluiceError) => void) | undefined;
}

/**
 * Events as they happen, for ever: what is cut is connected again and goes on after the last one.
 * It is read as fast as it is asked for, and holds no more than one piece of what the connection has
 * brought. Ends when it is aborted or left.
 */
export interface EventStream extends AsyncIterable<SluiceEvent | StreamGap> {
  /** Of the last event handed out: where to go on after a restart. */
  readonly lastEventId: string | undefined;
}

const GIVE_UP_AFTER_MS = 600_000;
/** Ids that are remembered, to drop what comes twice. */
const SEEN_MAX = 5_000;

export function createEventStream(transport: Transport, options: StreamOptions = {}): EventStream {
  const { settings } = transport;
  const { clock } = settings;
  const { signal } = options;
  const seen = createSeen(SEEN_MAX);
  const giveUpAfterMs = options.giveUpAfterMs ?? GIVE_UP_AFTER_MS;
  let { lastEventId } = options;
  let baseMs = RETRY_DEFAULTS.baseMs;
  let failures = 0;
  let aliveMs = 0;

  /** The event of a block, unless it is none or has been handed out before. */
  const taken = ({ event, data, id, retryMs }: SseBlock): SluiceEvent | StreamGap | undefined => {
    if (retryMs !== undefined) baseMs = Math.min(retryMs, RETRY_DEFAULTS.capMs);
    const document = data === undefined ? undefined : documentIn(data);
    lastEventId = id ?? lastEventId;
    if (document === undefined) return undefined;
    if (event === 'bye') throw farewell(document);
    if (event === 'gap') return { ...(document as Omit<StreamGap, 'type'>), type: 'gap' };
    if (event !== 'ready') return seen.add(document['id']) ? (document as SluiceEvent) : undefined;
    options.onReady?.(document as { readonly [name: string]: unknown } & Ready);
    return undefined;
  };

  const connection = async function* (): AsyncGenerator<SluiceEvent | StreamGap, void, undefined> {
    const parser = createSseParser();
    const connected = await connectStream(transport, options, lastEventId);
    try {
      for (;;) {
        const bytes = await connected.read();
        if (bytes === undefined) throw new SluiceError('network', 'The stream has ended');
        aliveMs = clock.now();
        failures = 0;
        for (const block of parser.push(bytes)) {
          const event = taken(block);
          if (event !== undefined) yield event;
          throwIfAborted(signal);
        }
      }
    } finally {
      connected.close();
    }
  };

  const all = async function* (): AsyncGenerator<SluiceEvent | StreamGap, void, undefined> {
    aliveMs = clock.now();
    for (;;) {
      try {
        throwIfAborted(signal);
        yield* connection();
      } catch (error) {
        if (signal?.aborted === true) return;
        if (!(error instanceof SluiceError) || !isPassing(error)) throw error;
        if (clock.now() - aliveMs > giveUpAfterMs) throw error;
        options.onReconnect?.(error);
        const waiting = { asked: error.retryAfterMs, random: () => clock.random() };
        const pauseMs = waitMsOf(failures, { ...settings.retry, baseMs }, waiting);
        failures += 1;
        await clock.sleep(pauseMs, signal).catch(() => undefined); // looked at above
      }
    }
  };

  return Object.freeze({
    get lastEventId() {
      return lastEventId;
    },
    [Symbol.asyncIterator]: all,
  });
}

interface Ready {
  readonly position: string;
  readonly resumed: boolean;
}

function documentIn(data: string): Readonly<Record<string, unknown>> {
  const document = parsed(data);
  if (isObject(document)) return document;
  const text = 'An event of the stream is no JSON document';
  throw new SluiceError('bad_response', text, { retryable: true });
}

function farewell({ reason }: Readonly<Record<string, unknown>>): SluiceError {
  return reason === 'revoked'
    ? new SluiceError('unauthenticated', 'The key of the stream has been revoked')
    : new SluiceError('shutting_down', 'The server stops; another one goes on', {
        retryable: true,
      });
}

/** A new connection may do better. */
function isPassing({ code, retryable }: SluiceError): boolean {
  return retryable || code === 'network' || code === 'client_timeout';
}

/** The last so many ids. */
function createSeen(max: number): { add(id: unknown): boolean } {
  const ids = new Set<unknown>();
  return {
    /** Whether it is new; what has no id always is. */
    add: (id) => {
      if (id === undefined) return true;
      if (ids.has(id)) return false;
      ids.add(id);
      const [oldest] = ids.size > max ? ids : [];
      if (oldest !== undefined) ids.delete(oldest);
      return true;
    },
  };
}
