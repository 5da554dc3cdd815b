import type { CommandStartedEvent, Document, MongoClient } from 'mongodb';
import type { Logger } from '../telemetry/logger.ts';

/** Commands under way that are kept track of; beyond it the oldest is forgotten. */
const UNDER_WAY_MAX = 10_000;
const FIELDS_MAX = 30;
const DEPTH_MAX = 4;

/**
 * Logs commands that take longer, with the fields that they ask for and none of the values. The driver
 * decodes every reply once more for it, so it is for who looks for something.
 */
export function logSlowQueries(client: MongoClient, slowMs: number, logger: Logger): void {
  const underWay = new Map<number, CommandStartedEvent>();
  client.on('commandStarted', (event) => {
    const [oldest] = underWay.size >= UNDER_WAY_MAX ? underWay.keys() : [];
    if (oldest !== undefined) underWay.delete(oldest);
    underWay.set(event.requestId, event);
  });
  const ended = (requestId: number, ms: number, isFailed: boolean): void => {
    const started = underWay.get(requestId);
    underWay.delete(requestId);
    if (started === undefined || ms < slowMs) return;
    logger.warn({ ...shapeOf(started), ms: Math.round(ms), isFailed }, 'query.slow');
  };
  client.on('commandSucceeded', ({ requestId, duration }) => {
    ended(requestId, duration, false);
  });
  client.on('commandFailed', ({ requestId, duration }) => {
    ended(requestId, duration, true);
  });
}

function shapeOf({ commandName, command, address }: CommandStartedEvent) {
  const collection: unknown = command[commandName];
  const { filter, query, pipeline, updates, sort } = command;
  const fields = fieldsOf(filter ?? query ?? pipeline ?? firstFilterOf(updates));
  return {
    command: commandName,
    ...(typeof collection === 'string' && { collection }),
    fields: fields.slice(0, FIELDS_MAX),
    sort: sort instanceof Map ? [...sort.keys()] : fieldsOf(sort),
    address,
  };
}

function firstFilterOf(updates: unknown): unknown {
  const first: unknown = Array.isArray(updates) ? updates[0] : undefined;
  return typeof first === 'object' && first !== null && 'q' in first ? first.q : undefined;
}

/** `status`, `_id.$in`, `$or.tenantId`: names only. */
function fieldsOf(value: unknown, depth = 0): readonly string[] {
  if (depth === DEPTH_MAX || typeof value !== 'object' || value === null) return [];
  const parts = Array.isArray(value) ? value.slice(0, FIELDS_MAX) : [value];
  const names = parts.filter(isPlain).flatMap((part) =>
    Object.entries(part).flatMap(([name, inner]) => {
      const below = fieldsOf(inner, depth + 1);
      return below.length === 0 ? [name] : below.map((one) => `${name}.${one}`);
    }),
  );
  return [...new Set(names)];
}

function isPlain(value: unknown): value is Document {
  return (
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  );
}
