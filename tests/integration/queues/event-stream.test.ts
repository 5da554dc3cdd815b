import { Redis } from 'ioredis';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { LIMITS } from '../../../config/limits.ts';
import { newToken } from '../../../core/kernel/ids.ts';
import { createEventStream, streamKey } from '../../../core/events/stream.ts';
import { openTestDatabase } from '../../support/database.ts';

describe('the stream of a tenant', () => {
  let redis: Redis;
  let key = '';
  let append: (count: number, bytes?: number) => Promise<void>;

  beforeEach(async () => {
    const database = await openTestDatabase();
    redis = new Redis(database.redisUrl);
    onTestFinished(() => {
      redis.disconnect();
    });
    key = streamKey(database.name, 't');
    const stream = createEventStream(redis, database.name);
    append = async (count, bytes = 1) => {
      const data = { text: 'x'.repeat(bytes) };
      const events = Array.from({ length: count }, (_, index) => {
        return { id: `evt_${newToken()}${index}`, name: 'thing.happened', data };
      });
      await stream.append({ _id: newToken(), tenantId: 't', events });
    };
  });

  /** As if they had been appended so long ago. */
  const addOld = async (count: number, ageMs: number): Promise<void> => {
    const pipeline = redis.pipeline();
    for (let index = 0; index < count; index += 1) {
      pipeline.xadd(key, `${Date.now() - ageMs}-${index}`, 'name', 'old');
    }
    await pipeline.exec();
  };
  const age = async (): Promise<number> => {
    const [first] = await redis.xrange(key, '-', '+', 'COUNT', 1);
    return Date.now() - Number(first?.[0].split('-')[0]);
  };

  it('keeps what is younger than its history, however much that is', async () => {
    await addOld(LIMITS.streamEventsKept * 2, LIMITS.streamHistoryMs / 2);
    await append(1);
    expect(await redis.xlen(key)).toBe(LIMITS.streamEventsKept * 2 + 1);
  });

  it('lets go of what is older, but not of the newest few thousand', async () => {
    await addOld(LIMITS.streamEventsKept * 2, LIMITS.streamHistoryMs * 2);
    for (let turns = 0; turns < 3; turns += 1) await append(1);
    const kept = await redis.xlen(key);
    expect(kept).toBeGreaterThanOrEqual(LIMITS.streamEventsKept);
    expect(kept).toBeLessThan(LIMITS.streamEventsKept * 2);
    await append(LIMITS.streamEventsKept + 1_000);
    await append(1);
    expect(await age()).toBeLessThan(LIMITS.streamHistoryMs);
  });

  it('has a ceiling in bytes, and goes when nobody adds to it', async () => {
    for (let turns = 0; turns < 4; turns += 1) await append(10, LIMITS.streamBytesMax / 30);
    expect(await redis.memory('USAGE', key)).toBeLessThan(LIMITS.streamBytesMax * 1.5);
    expect(await redis.xlen(key)).toBeGreaterThan(0);
    const ttl = await redis.pttl(key);
    expect(ttl).toBeGreaterThan(0);
    expect(ttl).toBeLessThanOrEqual(LIMITS.streamIdleMs);
  });
});
