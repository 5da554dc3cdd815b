import { truncateSync } from 'node:fs';
import type { Cluster, OwnRedis, RedisName } from '../cluster/cluster.ts';
import type { Rule } from '../fault-proxy.ts';
import { appendedFile } from '../../support/faults/appended-file.ts';
import type { FaultKind, Strike } from './fault-kind.ts';
import { imposed } from './mongo-faults.ts';
import { APIS, WORKERS } from './process-faults.ts';

const BOTH = ['queue', 'core'] as const;
const itself = (target: string): readonly string[] => [`redis-${target}`];
const redisOf = (cluster: Cluster, target: string): OwnRedis =>
  cluster.redis[target === 'queue' ? 'queue' : 'core'];

function once(heal: () => Promise<void>, wasStruck = true): Strike {
  return { strikes: () => (wasStruck ? 1 : 0), heal };
}

async function usedBytes({ admin }: OwnRedis): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1] ?? '0');
}

async function loseSecond(redis: OwnRedis): Promise<Strike> {
  const file = appendedFile(redis.folder);
  const size = file.size();
  return once(async () => {
    redis.server.kill('SIGKILL');
    await redis.server.stop();
    truncateSync(file.path, size);
    await redis.server.restart();
  });
}

const SERVER_FAULTS: readonly FaultKind[] = [
  {
    name: 'kill-redis',
    summary: 'kill -9 of a Redis',
    covers: ['F5'],
    targets: BOTH,
    claims: itself,
    seconds: [1, 5],
    strike: async ({ cluster, target }) => {
      const { server } = redisOf(cluster, target);
      return once(() => server.restart(), server.kill('SIGKILL'));
    },
  },
  {
    name: 'redis-loses-seconds',
    summary: 'the Redis of the queues loses what it was last told, as by a failover',
    covers: ['F6'],
    targets: ['queue'],
    claims: itself,
    seconds: [1, 3],
    strike: ({ cluster, target }) => loseSecond(redisOf(cluster, target)),
  },
  {
    name: 'empty-redis',
    summary: 'a Redis is emptied',
    covers: ['F7', 'F8'],
    targets: BOTH,
    claims: itself,
    seconds: [1, 2],
    strike: async ({ cluster, target }) => {
      await redisOf(cluster, target).admin.flushall();
      return once(async () => undefined);
    },
  },
  {
    name: 'pause-redis',
    summary: 'a Redis stopped, then continued',
    covers: ['F9'],
    targets: BOTH,
    claims: itself,
    seconds: { production: [5, 20], quick: [3, 6] },
    strike: async ({ cluster, target }) => {
      const { server } = redisOf(cluster, target);
      return once(async () => void server.kill('SIGCONT'), server.kill('SIGSTOP'));
    },
  },
  {
    name: 'full-redis',
    summary: 'a Redis is full and refuses writes',
    covers: ['F10'],
    targets: BOTH,
    claims: itself,
    seconds: [3, 10],
    strike: async ({ cluster, target }) => {
      const redis = redisOf(cluster, target);
      await redis.admin.config('SET', 'maxmemory', String(await usedBytes(redis)));
      return once(async () => {
        await redis.admin.config('SET', 'maxmemory', '0');
      });
    },
  },
];

type LinkRow = readonly [string, string, Rule, readonly [number, number]];

const LINKS: readonly LinkRow[] = [
  ['redis-cut', 'connections to a Redis reset', { mode: 'cut' }, [1, 2]],
  ['redis-refused', 'a Redis refuses connections of a process', { mode: 'refuse' }, [2, 8]],
  [
    'redis-black-hole',
    'nothing arrives at a Redis, no connection breaks',
    { mode: 'black-hole' },
    [3, 10],
  ],
  [
    'redis-replies-lost',
    'a Redis does as it is told, its answers are lost',
    { mode: 'lose-replies' },
    [3, 8],
  ],
  [
    'redis-replies-cut',
    'answers of a Redis are cut in the middle',
    { mode: 'cut-reply', times: 6, afterBytes: 3 },
    [2, 5],
  ],
  [
    'redis-delay',
    'a Redis is 100 to 300 ms away',
    { mode: 'delay', delayMs: 100, jitterMs: 200 },
    [4, 10],
  ],
];

const LINK_TARGETS = [...APIS, ...WORKERS].flatMap((from) =>
  BOTH.map((to: RedisName) => `${from}>${to}`),
);

const LINK_FAULTS: readonly FaultKind[] = LINKS.map(([name, summary, rule, seconds]) => ({
  name,
  summary,
  covers: ['F9'],
  targets: LINK_TARGETS,
  claims: (target) => [target],
  seconds,
  strike: async ({ cluster, target }) => onLink(cluster, target, rule),
}));

export function onLink(cluster: Cluster, name: string, rule: Rule): Strike {
  const link = cluster.links.get(name);
  if (link === undefined) throw new Error(`there is no link ${name}`);
  return imposed([link.impose(rule)]);
}

export const REDIS_FAULTS: readonly FaultKind[] = [...SERVER_FAULTS, ...LINK_FAULTS];
