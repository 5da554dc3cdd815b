import { type DestinationStream, type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino';
import { scrubbed } from '../kernel/scrub.ts';
import { currentContext } from './context.ts';

export type Logger = PinoLogger;

/** Paths whose values never reach a log line. */
const REDACT = [
  'authorization',
  '*.authorization',
  'headers.authorization',
  'req.headers.authorization',
  'req.headers.cookie',
  'password',
  '*.password',
  'secret',
  '*.secret',
  'apiKey',
  '*.apiKey',
  'contacts',
  '*.contacts',
];

const MESSAGE_CHARS_MAX = 2_000;
const CAUSES_MAX = 5;

/**
 * An error as a line shows it: what it says and where it came from. Not whatever else hangs on it:
 * the driver's bulk errors carry the documents that were written, with addresses and contacts.
 */
function errorView(error: unknown, depth = 0): unknown {
  if (typeof error === 'string') return shown(error, MESSAGE_CHARS_MAX);
  if (!(error instanceof Error)) return typeof error === 'object' ? '[not an error]' : error;
  const { name, message, stack = '', cause } = error;
  return {
    type: name,
    message: shown(message, MESSAGE_CHARS_MAX),
    stack: shown(stack, MESSAGE_CHARS_MAX * 2),
    ...ownParts(error),
    ...(cause !== undefined && depth < CAUSES_MAX && { cause: errorView(cause, depth + 1) }),
  };
}

/** Cut last: half a secret would not look like one. */
function shown(text: string, charsMax: number): string {
  return scrubbed(text.slice(0, charsMax * 4)).slice(0, charsMax);
}

function ownParts(error: Error): object {
  const code: unknown = Reflect.get(error, 'code');
  const context: unknown = OURS.has(error.name) ? Reflect.get(error, 'context') : undefined;
  const hasCode = typeof code === 'string' || typeof code === 'number';
  return { ...(hasCode && { code }), ...(context !== undefined && { context }) };
}

/** What their context says is chosen by us. */
const OURS: ReadonlySet<string> = new Set(['AppError', 'InvariantError']);

interface LoggerOptions {
  readonly level: string;
  readonly service: string;
  readonly destination?: DestinationStream;
}

/**
 * JSON lines with `event` as the key of what happened; correlation, tenant, operation and job ids
 * come from the async context.
 */
export function createLogger({ level, service, destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: { service, pid: process.pid },
    timestamp: stdTimeFunctions.isoTime,
    messageKey: 'event',
    serializers: { err: errorView },
    redact: { paths: REDACT, censor: '[redacted]' },
    mixin: () => {
      const { traceparent: _within, ...ids } = currentContext();
      return ids;
    },
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
