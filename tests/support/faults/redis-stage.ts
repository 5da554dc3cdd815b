import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { pickPort } from '../../../scripts/dev/servers/ports.ts';
import { type LocalRedis, startRedis } from '../../../scripts/dev/servers/redis.ts';
import { type Stage, openStage } from './stage.ts';
import { until } from './worker-process.ts';

export interface OwnRedis {
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

export async function openRedisStage(): Promise<{ stage: Stage; redis: OwnRedis }> {
  const redis = await openRedisServer();
  const stage = await openStage({ redisUrl: redis.server.url });
  onTestFinished(() => stage.close());
  return { stage, redis };
}

const openHolds = async (stage: Stage): Promise<number> =>
  (await stage.holds()).filter(({ status }) => status === 'open').length;

export async function expectNoOpenHolds(stage: Stage): Promise<void> {
  await until('every expired hold to be released', async () =>
    (await openHolds(stage)) === 0 ? true : undefined,
  );
}
