import { mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../core/kernel/clock.ts';
import { pickPort } from '../../scripts/local/ports.ts';
import { type LocalRedis, startRedis } from '../../scripts/local/redis.ts';
import { mixedRequests, openUsers } from '../support/faults/load.ts';
import { sizeOf } from '../support/faults/repairs.ts';
import { type Stage, openStage } from '../support/faults/stage.ts';
import { until } from '../support/faults/worker-process.ts';

interface OwnRedis {
  readonly server: LocalRedis;
  readonly folder: string;
  readonly admin: Redis;
}

/** A Redis as it is meant to run: append-only file, synced every second, never evicting. */
async function openRedisServer(): Promise<OwnRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-faults-'));
  const server = await startRedis({
    dataDir: folder,
    port: await pickPort([]),
    log: () => undefined,
  });
  const admin = new Redis(server.url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
  admin.on('error', () => undefined); // while it is away
  onTestFinished(async () => {
    admin.disconnect();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return { server, folder, admin };
}

async function openOwnStage(): Promise<{ stage: Stage; redis: OwnRedis }> {
  const redis = await openRedisServer();
  const stage = await openStage({ redisUrl: redis.server.url });
  onTestFinished(() => stage.close());
  return { stage, redis };
}

/** What has been appended since the file had that size is lost, as by a failover. */
function appendedFile({ folder }: OwnRedis): { path: string; size: () => number } {
  const dir = join(folder, 'appendonlydir');
  const name = readdirSync(dir).find((file) => file.endsWith('.incr.aof'));
  if (name === undefined) throw new Error(`no append-only file in ${dir}`);
  const path = join(dir, name);
  return { path, size: () => readFileSync(path).length };
}

const openHolds = async (stage: Stage): Promise<number> =>
  (await stage.holds()).filter(({ status }) => status === 'open').length;

async function expectNoOpenHolds(stage: Stage): Promise<void> {
  await until('every expired hold to be released', async () =>
    (await openHolds(stage)) === 0 ? true : undefined,
  );
}

describe('Redis', { timeout: 180_000 }, () => {
  it('W14: emptied under load, with retries and expiring holds pending, loses nothing', async () => {
    const { stage, redis } = await openOwnStage();
    const users = await openUsers(stage, 12);
    stage.sandbox.inject({ on: 'payouts', kind: 'throttle', times: 6, delayMs: 4_000 });
    stage.sandbox.inject({ on: 'captures', kind: 'error', times: 6 });
    await Promise.all([stage.worker(), stage.worker()]);
    for (let wave = 0; wave < sizeOf({ usual: 3, long: 12 }); wave += 1) {
      await stage.accept(mixedRequests(users, 60));
      await until('work under way', async () => {
        const open = { status: { $in: ['running', 'waiting'] } };
        return (await stage.mongo.db.collection('operations').findOne(open)) ?? undefined;
      });
      await redis.admin.flushall();
    }
    const healedAt = await stage.healed();
    await stage.expectRepaired({ fault: 'W14 Redis emptied under load', healedAt });
    await expectNoOpenHolds(stage);
    await stage.expectRepaired({ fault: 'W14 releases of expired holds', healedAt });
  });

  it('W13: that loses its last second in a crash brings back done jobs and loses new ones', async () => {
    const { stage, redis } = await openOwnStage();
    const users = await openUsers(stage, 12);
    await Promise.all([stage.worker(), stage.worker()]);
    await stage.accept(mixedRequests(users, 60));
    await systemClock.sleep(1_500); // the file is synced every second
    const file = appendedFile(redis);
    const kept = file.size();
    await stage.accept(mixedRequests(users, 90));
    await systemClock.sleep(300);
    redis.server.kill('SIGKILL');
    truncateSync(file.path, kept);
    await systemClock.sleep(500);
    await redis.server.restart();
    const healedAt = await stage.healed();
    await stage.expectRepaired({ fault: 'W13 Redis loses its last second', healedAt });
    await expectNoOpenHolds(stage);
  });

  it('W15: that is full refuses jobs, and everything settles once there is room', async () => {
    const { stage, redis } = await openOwnStage();
    const users = await openUsers(stage, 12);
    await Promise.all([stage.worker(), stage.worker()]);
    await stage.accept(mixedRequests(users, 30));
    await redis.admin.config('SET', 'maxmemory', '1mb');
    const refused = await stage.accept(mixedRequests(users, 90));
    expect(refused).toHaveLength(90); // accepted all the same: MongoDB has them
    await systemClock.sleep(2_000);
    await redis.admin.config('SET', 'maxmemory', '0');
    const healedAt = await stage.healed();
    await stage.expectRepaired({ fault: 'W15 Redis full', healedAt });
    await expectNoOpenHolds(stage);
  });
});
