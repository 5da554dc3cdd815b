import { EnvError, type Env, parseEnv } from '../../config/env.ts';
import { type CheckResult, fine, isAtLeast, problem, warning } from './check.ts';

const NODE_MIN = [22, 15] as const;
const NODE_BEST = [24, 0] as const;

export function checkNode(version: string): CheckResult {
  if (!isAtLeast(version, NODE_MIN)) {
    const remedy = 'Run it on Node 24 LTS (`npm start` and `npx sluice` fetch it by themselves).';
    return problem('node', { detail: `Node ${version} is older than 22.15.`, remedy });
  }
  if (isAtLeast(version, NODE_BEST)) return fine('node', `Node ${version}`);
  const remedy = 'Use Node 24 LTS: it is made for that, and faster there.';
  return warning('node', { detail: `Node ${version} works.`, remedy });
}

/** The environment as processes of ours would take it, and a line for everything wrong with it. */
export function checkEnvironment(source: Readonly<Record<string, string | undefined>>): {
  readonly env: Env;
  readonly results: readonly CheckResult[];
} {
  try {
    const env = parseEnv(source);
    return { env, results: [fine('environment', 'every setting is usable'), ...risksOf(env)] };
  } catch (error) {
    if (!(error instanceof EnvError)) throw error;
    const lines = error.message.split('\n').map((line) => line.trim());
    const named = lines.filter(
      (line) => /^[A-Z][A-Z0-9_.]*\b.*[^:]$/.test(line) && !/^The|^See/.test(line),
    );
    const details = named.length > 0 ? named : [error.message];
    const remedy = 'Mend or remove it; docs/config.md and .env.example have every name.';
    return {
      env: parseEnv(addressesOf(source)),
      results: details.map((detail) => problem('environment', { detail, remedy })),
    };
  }
}

/** What is needed to look at the servers all the same, as far as it is usable. */
function addressesOf(source: Readonly<Record<string, string | undefined>>) {
  const usable: Record<string, string> = {};
  for (const name of ['MONGO_URL', 'MONGO_DB', 'REDIS_URL', 'QUEUE_PREFIX', 'PORT'] as const) {
    const value = source[name];
    if (value === undefined) continue;
    try {
      parseEnv({ [name]: value });
      usable[name] = value;
    } catch {
      // Its default is looked at instead; that it is wrong has been said.
    }
  }
  return usable;
}

function risksOf(env: Env): readonly CheckResult[] {
  if (env.NODE_ENV !== 'production') return [];
  const roles = [env.REDIS_CACHE_URL, env.REDIS_PUB_URL].filter((url) => url !== undefined);
  if (roles.length > 0) return [];
  const remedy = 'Give caches and streams a Redis of their own: REDIS_CACHE_URL, REDIS_PUB_URL.';
  const detail = 'One Redis has jobs, caches and streams: those take the memory of the jobs.';
  return [warning('redis-roles', { detail, remedy })];
}
