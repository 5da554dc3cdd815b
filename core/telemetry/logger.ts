import { type DestinationStream, type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino';
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
    redact: { paths: REDACT, censor: '[redacted]' },
    mixin: () => ({ ...currentContext() }),
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
