import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { z } from 'zod';
import { openRedis } from '../../core/infra/redis.ts';
import type { ServerUrls } from './arena.ts';
import type { ServerPids } from './cpu.ts';
import { ROOT } from './processes.ts';

/** Where the figures come from: without it they mean nothing. */
export interface Environment {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly node: string;
  readonly mongod: string;
  readonly redis: string;
  readonly packages: Readonly<Record<string, string>>;
  /** One minute, before anything was measured. */
  readonly loadBefore: number;
}

const PACKAGES = ['bullmq', 'ioredis', 'mongodb', 'express', 'zod'];

export async function describeEnvironment(
  { mongoUrl, redisUrl }: ServerUrls,
  servers: ServerPids,
): Promise<Environment> {
  const client = await MongoClient.connect(mongoUrl);
  const info = await client.db('admin').command({ buildInfo: 1 });
  await client.close();
  const redis = openRedis({
    url: redisUrl,
    name: 'bench-info',
    whenAway: 'wait',
    onError: (error) => console.error(String(error)),
  });
  const redisVersion = /redis_version:(\S+)/.exec(await redis.info('server'))?.[1];
  redis.disconnect();
  const [first] = cpus();
  return {
    cpu: first?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    mongod: `${String(info['version'])} (${servers.flavour})`,
    redis: redisVersion ?? 'unknown',
    packages: Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
    loadBefore: loadAverage(),
  };
}

/** Of one minute. */
export function loadAverage(): number {
  return Math.round((loadavg()[0] ?? 0) * 100) / 100;
}

function versionOf(name: string): string {
  const path = join(ROOT, 'node_modules', name, 'package.json');
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(path, 'utf8'))).version;
}
