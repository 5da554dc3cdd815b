import type { Redis } from 'ioredis';
import type { Db } from 'mongodb';

/** MongoDB as `hello` tells it, which needs no right beyond being connected. */
export interface MongoSight {
  readonly isPrimary: boolean;
  readonly setName: string;
  readonly members: number;
  /** How far the majority is behind the primary's last write. */
  readonly lagMs: number;
  readonly localTime: Date;
}

interface Hello {
  readonly isWritablePrimary?: boolean;
  readonly setName?: string;
  readonly hosts?: readonly string[];
  readonly localTime?: Date;
  readonly lastWrite?: { readonly lastWriteDate?: Date; readonly majorityWriteDate?: Date };
}

export async function lookAtMongo(db: Db): Promise<MongoSight> {
  const hello: Hello = await db.command({ hello: 1 }, { readPreference: 'primary' });
  const { lastWriteDate, majorityWriteDate } = hello.lastWrite ?? {};
  const lagMs = (lastWriteDate?.getTime() ?? 0) - (majorityWriteDate?.getTime() ?? 0);
  return {
    isPrimary: hello.isWritablePrimary === true,
    setName: hello.setName ?? '',
    members: hello.hosts?.length ?? 0,
    lagMs: Math.max(0, lagMs),
    localTime: hello.localTime ?? new Date(Number.NaN),
  };
}

/** Redis as `INFO` tells it. */
export interface RedisSight {
  readonly version: string;
  readonly role: string;
  readonly policy: string;
  readonly usedBytes: number;
  readonly maxBytes: number;
  readonly hasAof: boolean;
}

export async function lookAtRedis(redis: Redis): Promise<RedisSight> {
  const info = await redis.info();
  const field = (name: string): string => infoField(info, name) ?? '';
  return {
    version: field('redis_version'),
    role: field('role'),
    policy: field('maxmemory_policy'),
    usedBytes: Number(field('used_memory')),
    maxBytes: Number(field('maxmemory')),
    hasAof: field('aof_enabled') === '1',
  };
}

/** A field of the answer to `INFO`. */
function infoField(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
}
