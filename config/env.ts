import { z } from 'zod';

/**
 * Addresses, secrets and roles: what needs a restart to change. The only reader of
 * `process.env`; tunables live in `service_configs` instead.
 */
const mongoUrl = z
  .string()
  .regex(/^mongodb(\+srv)?:\/\//, 'must start with mongodb:// or mongodb+srv://');
const redisUrl = z.string().regex(/^rediss?(-sentinel|-cluster)?:\/\//, 'must start with redis://');

export const WORKER_POOLS = ['settlement', 'saga', 'notification', 'recovery'] as const;
export type WorkerPool = (typeof WORKER_POOLS)[number];

const pools = z
  .string()
  .transform((text, ctx): readonly WorkerPool[] => {
    const names = text.split(',').map((name) => name.trim());
    const known = WORKER_POOLS.filter((pool) => names.includes(pool));
    if (known.length !== new Set(names).size) {
      ctx.addIssue({ code: 'custom', message: `must be some of ${WORKER_POOLS.join(',')}` });
      return z.NEVER;
    }
    return known;
  })
  .default(WORKER_POOLS);

const port = (fallback: number) =>
  z
    .string()
    .regex(/^\d{1,5}$/, 'must be a port number') // `Number` would take ' ' for 0
    .transform(Number)
    .pipe(z.int().max(65_535))
    .default(fallback);

export const envSchema = z.object({
  NODE_ENV: z
    .enum(['development', 'production', 'test'])
    .default('development')
    .describe('production refuses failpoints'),
  HOST: z.string().default('127.0.0.1').describe('address that the API and the metrics bind to'),
  PORT: port(3000).describe('port of the API; 0 takes a free one'),
  WORKER_PORT: port(0).describe("port of a worker's /healthz, /readyz and /metrics; 0: a free one"),
  MONGO_URL: mongoUrl
    .default('mongodb://127.0.0.1:27017/?replicaSet=rs0')
    .describe('a replica set (transactions need one)'),
  MONGO_DB: z
    .string()
    .regex(/^[a-zA-Z0-9_-]{1,38}$/, 'must be 1 to 38 letters, digits, _ or -')
    .default('sluice')
    .describe('name of the database'),
  REDIS_URL: redisUrl
    .default('redis://127.0.0.1:6379')
    .describe('what the roles below fall back to'),
  REDIS_QUEUE_URL: redisUrl.optional().describe('BullMQ; noeviction and AOF'),
  REDIS_CORE_URL: redisUrl.optional().describe('sessions, key cache, rate limits'),
  REDIS_STATE_URL: redisUrl.optional().describe('breakers, leases, recovery hints'),
  REDIS_CACHE_URL: redisUrl.optional().describe('balances and queries; may evict'),
  REDIS_PUB_URL: redisUrl.optional().describe('hints to waiting requests, realtime'),
  QUEUE_PREFIX: z
    .string()
    .regex(/^[a-zA-Z0-9_{}-]{1,40}$/)
    .default('sluice')
    .describe('key prefix of the queues in Redis'),
  TENANCY: z.enum(['shared']).default('shared').describe('shared: all tenants in one database'),
  WORKER_POOLS: pools.describe('the pools that a worker process runs'),
  BOOTSTRAP_API_KEY: z
    .string()
    .regex(/^slk_[A-Za-z0-9]{4,32}_[A-Za-z0-9_-]{16,128}$/, 'must look like slk_<id>_<secret>')
    .optional()
    .describe('an admin key of tenant "default", created at start'),
  ADMIN_PASSWORD: z
    .string()
    .min(8, 'must have at least 8 characters')
    .optional()
    .describe('opens /admin; without it /admin stays shut'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('least severe level that is logged'),
  SANDBOX_URL: z.url().optional().describe('payment provider `sandbox` (scripts/sandbox)'),
  PAYMENT_PROVIDER_URL: z.url().optional().describe('payment provider `http`'),
  PAYMENT_PROVIDER_TOKEN: z.string().optional().describe('bearer token for it'),
  FAILPOINTS: z.string().optional().describe('tests only: NAME[@N],… kill this process there'),
});

export type Env = Readonly<z.infer<typeof envSchema>>;

export class EnvError extends Error {
  override readonly name = 'EnvError';
}

/**
 * Parses the environment once. Empty values count as unset.
 *
 * @throws EnvError naming every problem at once, without the values of secrets.
 */
export function parseEnv(source: Readonly<Record<string, string | undefined>>): Env {
  const set = Object.fromEntries(
    Object.entries(source).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = envSchema.safeParse(set);
  if (parsed.success) {
    if (parsed.data.FAILPOINTS !== undefined && parsed.data.NODE_ENV === 'production') {
      throw new EnvError('FAILPOINTS must not be set when NODE_ENV is production');
    }
    return Object.freeze(parsed.data);
  }
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new EnvError(`The environment is not usable:\n${lines.join('\n')}\nSee .env.example.`);
}

const SECRETS: ReadonlySet<string> = new Set([
  'BOOTSTRAP_API_KEY',
  'ADMIN_PASSWORD',
  'PAYMENT_PROVIDER_TOKEN',
]);

/** The environment as it may be logged: secrets and the passwords inside URLs are masked. */
export function redactEnv(env: Env): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => {
      if (value !== undefined && SECRETS.has(name)) return [name, '[redacted]'];
      if (typeof value === 'string' && name.endsWith('_URL')) {
        return [name, value.replace(/\/\/.*@/, '//[redacted]@')];
      }
      return [name, value];
    }),
  );
}

/** Redis by purpose; every role falls back to REDIS_URL. */
export function redisUrls(env: Env): Readonly<Record<RedisRole, string>> {
  return {
    queue: env.REDIS_QUEUE_URL ?? env.REDIS_URL,
    core: env.REDIS_CORE_URL ?? env.REDIS_URL,
    state: env.REDIS_STATE_URL ?? env.REDIS_URL,
    cache: env.REDIS_CACHE_URL ?? env.REDIS_URL,
    pub: env.REDIS_PUB_URL ?? env.REDIS_URL,
  };
}

export type RedisRole = 'queue' | 'core' | 'state' | 'cache' | 'pub';
