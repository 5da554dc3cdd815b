import { z } from 'zod';
import { LIMITS } from '../../config/limits.ts';
import type { RedisRoles } from '../infra/redis-roles.ts';
import { closeRedis } from '../infra/redis.ts';
import { STREAM_START, isStreamPosition } from '../kernel/stream-position.ts';
import { audienceOf } from './event-users.ts';
import { streamKey } from './stream.ts';

/** An event where it stands in its tenant's stream. */
export interface StreamEvent {
  readonly position: string;
  readonly id: string;
  readonly name: string;
  readonly operationId: string;
  /** When it happened: of what was appended late, before its place in the stream. */
  readonly at: string;
  /** Who may see it besides the tenant. */
  readonly users: readonly string[];
  readonly data?: Readonly<Record<string, string>>;
}

export interface StreamPage {
  readonly events: readonly StreamEvent[];
  /** Of the last entry, whether it is an event or not. */
  readonly last: string;
}

/** Reads the streams that `createEventStream` fills. Every call rejects while Redis is away. */
export interface EventTail {
  /** What came after these positions, by tenant; waits for it, not longer than a second or two. */
  read(after: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, StreamPage>>;
  /** Ends the waiting of a `read`, so that it can be asked with other tenants. */
  wake(): void;
  /** A page of history; undefined: nothing came after. */
  page(tenantId: string, after: string): Promise<StreamPage | undefined>;
  /** Where the stream ends: always an entry that is there (a mark in a stream that was empty). */
  end(tenantId: string): Promise<string>;
  /** Those of the tenants whose stream has no entry at the position. */
  missing(positions: ReadonlyMap<string, string>): Promise<readonly string[]>;
  /** How often it has connected: what is read may be another stream since. */
  connections(): number;
  close(): Promise<void>;
}

/** An entry that is no event: it makes a place in an empty stream, to resume from. */
const MARK = 'stream.mark';
const dataSchema = z.record(z.string(), z.string());
const audienceSchema = z.array(z.string());

type Entry = [id: string, fields: string[]];

export function openEventTail(redis: RedisRoles): EventTail {
  const { prefix } = redis;
  const blocking = redis.open('pub', { name: 'tail', whenAway: 'fail' });
  const asking = redis.open('pub', { name: 'tail-ask', whenAway: 'fail' });
  let blockedId: number | undefined;
  let connections = 0;
  blocking.on('ready', () => {
    connections += 1;
    blockedId = undefined;
  });

  const read: EventTail['read'] = async (after) => {
    blockedId ??= await blocking.client('ID');
    const tenants = [...after.keys()];
    const found = await blocking.xread(
      'COUNT',
      LIMITS.streamReadEvents,
      'BLOCK',
      LIMITS.streamBlockMs,
      'STREAMS',
      ...tenants.map((tenantId) => streamKey(prefix, tenantId)),
      ...after.values(),
    );
    const byKey = new Map(tenants.map((tenantId) => [streamKey(prefix, tenantId), tenantId]));
    const pages = new Map<string, StreamPage>();
    for (const [key, entries] of found ?? []) {
      const tenantId = byKey.get(key);
      const page = pageOf(entries);
      if (tenantId !== undefined && page !== undefined) pages.set(tenantId, page);
    }
    return pages;
  };

  return Object.freeze({
    read,
    wake: () => {
      // Lost with the connection: the read ends by itself within a second or two.
      if (blockedId !== undefined) asking.client('UNBLOCK', blockedId).catch(() => undefined);
    },
    page: async (tenantId: string, after: string) => {
      const key = streamKey(prefix, tenantId);
      return pageOf(await asking.xrange(key, `(${after}`, '+', 'COUNT', LIMITS.streamPageEvents));
    },
    end: async (tenantId: string) => {
      const key = streamKey(prefix, tenantId);
      const [last] = await asking.xrevrange(key, '+', '-', 'COUNT', 1);
      if (last !== undefined) return last[0];
      const mark = await asking.xadd(key, '*', 'name', MARK);
      await asking.pexpire(key, LIMITS.streamIdleMs);
      return mark ?? STREAM_START;
    },
    missing: async (positions: ReadonlyMap<string, string>) => {
      const pipeline = asking.pipeline();
      for (const [tenantId, position] of positions) {
        pipeline.xrange(streamKey(prefix, tenantId), position, position);
      }
      const results = (await pipeline.exec()) ?? [];
      return [...positions.keys()].filter((_tenantId, index) => {
        const [error, entries] = results[index] ?? [];
        if (error !== null && error !== undefined) throw error;
        return !Array.isArray(entries) || entries.length === 0;
      });
    },
    connections: () => connections,
    close: async () => {
      blocking.disconnect();
      await closeRedis(asking);
    },
  } satisfies EventTail);
}

function pageOf(entries: readonly Entry[]): StreamPage | undefined {
  const last = entries.at(-1)?.[0];
  if (last === undefined) return undefined;
  return { last, events: entries.flatMap((entry) => eventOf(entry) ?? []) };
}

/** Undefined for marks, and for what somebody else has put there. */
function eventOf([position, fields]: Entry): StreamEvent | undefined {
  const named = new Map<string, string>();
  for (let index = 0; index + 1 < fields.length; index += 2) {
    named.set(fields[index] ?? '', fields[index + 1] ?? '');
  }
  const [id, name, operationId] = [named.get('id'), named.get('name'), named.get('operationId')];
  if (id === undefined || name === undefined || operationId === undefined) return undefined;
  if (!isStreamPosition(position)) return undefined;
  const data = dataOf(named.get('data'));
  const said = { name, ...(data !== undefined && { data }) };
  const users = audienceIn(named.get('users')) ?? audienceOf(said);
  return { position, id, operationId, ...said, at: timeIn(named.get('at'), position), users };
}

function timeIn(at: string | undefined, position: string): string {
  if (at !== undefined && at !== '') return at;
  return new Date(Number(position.slice(0, position.indexOf('-')))).toISOString();
}

/** Undefined for an entry from before audiences were stated. */
function audienceIn(text: string | undefined): readonly string[] | undefined {
  if (text === undefined) return undefined;
  try {
    return audienceSchema.safeParse(JSON.parse(text)).data ?? [];
  } catch {
    return []; // of what cannot be read nobody is told
  }
}

function dataOf(text: string | undefined): StreamEvent['data'] {
  if (text === undefined) return undefined;
  try {
    return dataSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // one bad entry must not stop the reader at its place
  }
}
