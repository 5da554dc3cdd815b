import { type Env, redisUrls } from '../../config/env.ts';
import { lookAtRedis } from '../../core/infra/server-sight.ts';
import { closeRedis, openRedis } from '../../core/infra/redis.ts';
import { withTimeout } from '../../core/kernel/clock.ts';
import { type CheckResult, fine, isAtLeast, problem, warning } from './check.ts';
import { skewOf } from './check-mongo.ts';

const REDIS_MIN = [6, 2] as const;
const ANSWER_MS = 3_000;

/** Every Redis that the environment names, by what it is for. Never throws. */
export async function checkRedis(env: Env): Promise<readonly CheckResult[]> {
  const roles = new Map<string, string[]>();
  for (const [role, url] of Object.entries(redisUrls(env))) {
    roles.set(url, [...(roles.get(url) ?? []), role]);
  }
  const all = await Promise.all([...roles].map(([url, of]) => checkOne(url, of)));
  return all.flat();
}

async function checkOne(url: string, roles: readonly string[]): Promise<readonly CheckResult[]> {
  const isForJobs = roles.includes('queue');
  const name = isForJobs ? 'redis' : `redis-${roles.join('-')}`;
  const redis = openRedis({ url, name: 'doctor', whenAway: 'wait', onError: () => undefined });
  const late = (): Error => new Error('too late');
  try {
    const look = async () => {
      const sight = await lookAtRedis(redis);
      const sentMs = Date.now();
      const [seconds, micros] = await redis.time();
      const skewMs = Number(seconds) * 1_000 + Number(micros) / 1_000 - (sentMs + Date.now()) / 2;
      return { ...sight, skewMs };
    };
    const { skewMs, ...sight } = await withTimeout(look(), ANSWER_MS, late);
    return [
      ...versionOf(name, sight),
      ...(isForJobs ? jobsOf(name, sight) : []),
      skewOf(`clock-${name}`, skewMs),
    ];
  } catch {
    const detail = `No answer (for: ${roles.join(', ')}).`;
    const remedy = 'Is it started, is REDIS_URL (or that of the role) right, and its password?';
    return [problem(name, { detail, remedy })];
  } finally {
    await closeRedis(redis);
  }
}

type Sight = Awaited<ReturnType<typeof lookAtRedis>>;

function versionOf(name: string, { version, role }: Sight): readonly CheckResult[] {
  if (!isAtLeast(version, REDIS_MIN)) {
    const detail = `Redis ${version} is older than 6.2.`;
    return [problem(name, { detail, remedy: 'Upgrade to Redis 7 or later.' })];
  }
  if (role === 'master') return [fine(name, `Redis ${version}`)];
  const remedy = 'Name the master, or its Sentinels.';
  return [problem(name, { detail: `It is a ${role}, which takes no writes.`, remedy })];
}

/** What only the server of the jobs has to be. */
function jobsOf(name: string, { policy, hasAof, maxBytes }: Sight): readonly CheckResult[] {
  const evicts = {
    detail: `maxmemory-policy is ${policy}: it may throw jobs away.`,
    remedy: 'redis-cli config set maxmemory-policy noeviction, and in its configuration.',
  };
  const forgets = {
    detail: 'It keeps nothing on disk: after a restart recovery has to find every job again.',
    remedy: 'redis-cli config set appendonly yes, and in its configuration.',
  };
  const unbounded = {
    detail: 'It has no maxmemory: the machine decides what happens when it is full.',
    remedy: 'Set maxmemory below what the machine has.',
  };
  return [
    policy === 'noeviction'
      ? fine(`${name}-policy`, 'noeviction')
      : problem(`${name}-policy`, evicts),
    hasAof ? fine(`${name}-aof`, 'appendonly is on') : warning(`${name}-aof`, forgets),
    maxBytes > 0
      ? fine(`${name}-memory`, `maxmemory ${maxBytes} bytes`)
      : warning(`${name}-memory`, unbounded),
  ];
}
