import { z } from 'zod';
import { unknownNames } from './env-names.ts';
import { corsEnv } from './cors-env.ts';
import { graphqlEnv } from './graphql-env.ts';
import { accessEnv } from './access-env.ts';
import { settingsProblem } from './env-together.ts';
import { LIMITS } from './limits.ts';
import { READ_ENV, withoutPasswords } from './read-env.ts';
import { TRACE_ENV } from './trace-env.ts';

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

const lanes = z
  .string()
  .regex(/^\d{1,3}$/, `must be a number from 1 to ${LIMITS.lanesEver}`)
  .transform(Number)
  .pipe(z.int().min(1).max(LIMITS.lanesEver))
  .default(LIMITS.lanes);

const sagas = z
  .string()
  .regex(
    /^\d{1,4}$/,
    `must be a number from ${LIMITS.sagaConcurrencyMin} to ${LIMITS.sagaConcurrencyMax}`,
  )
  .transform(Number)
  .pipe(z.int().min(LIMITS.sagaConcurrencyMin).max(LIMITS.sagaConcurrencyMax))
  .optional();

/** Of a channel what differs from what is built in; whether it fits a lease is seen where it is used. */
const policyFields = z.strictObject({
  pausesMs: z.array(z.int().min(0)).max(30).exactOptional(),
  timeoutMs: z.int().min(1).exactOptional(),
  ratePerSecond: z.int().min(0).exactOptional(),
  inFlightMax: z.int().min(1).exactOptional(),
});
const policyChannels = z.strictObject({
  email: policyFields.exactOptional(),
  sms: policyFields.exactOptional(),
  push: policyFields.exactOptional(),
  webhook: policyFields.exactOptional(),
  realtime: policyFields.exactOptional(),
});
const deliveryPolicies = z
  .string()
  .transform((text, ctx): z.infer<typeof policyChannels> => {
    const parsed = policyChannels.safeParse(jsonOf(text));
    if (parsed.success) return parsed.data;
    ctx.addIssue({ code: 'custom', message: 'must be JSON as {"webhook":{"inFlightMax":64}}' });
    return z.NEVER;
  })
  .optional();

const port = (fallback: number) =>
  z
    .string()
    .regex(/^\d{1,5}$/, 'must be a port number') // `Number` would take ' ' for 0
    .transform(Number)
    .pipe(z.int().max(65_535))
    .default(fallback);

const serviceAccountFields = z.object({
  project_id: z.string().regex(/^[\w:.-]{1,100}$/),
  client_email: z.string().min(3),
  private_key: z.string().startsWith('-----BEGIN'),
  token_uri: z.url().default('https://oauth2.googleapis.com/token'),
});
export type ServiceAccount = z.infer<typeof serviceAccountFields>;

const serviceAccount = z.string().transform((text, ctx): ServiceAccount => {
  const parsed = serviceAccountFields.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  ctx.addIssue({ code: 'custom', message: 'must be the JSON that Google gives out' });
  return z.NEVER;
});

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

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
  ...READ_ENV,
  REDIS_PUB_URL: redisUrl.optional().describe('hints to waiting requests, realtime'),
  QUEUE_PREFIX: z
    .string()
    .regex(/^[a-zA-Z0-9_{}-]{1,40}$/)
    .default('sluice')
    .describe('key prefix of the queues in Redis'),
  TENANCY: z
    .enum(['shared', 'per-brand'])
    .default('shared')
    .describe(
      'shared: all tenants in one database; per-brand: tenants and keys in MONGO_DB, the work of each ' +
        'tenant in a database MONGO_DB_<tenant> and in queues of its own',
    ),
  SETTLEMENT_LANES: lanes.describe('lanes of atomic operations: so many processes settle at most'),
  LEDGER_LOG_NAME: z
    .string()
    .regex(/^[A-Za-z0-9._/-]{1,60}$/, 'must be 1 to 60 of A-Z, a-z, 0-9, . _ - and /')
    .default('sluice')
    .describe('whose log is proved: begins the origin of every checkpoint and names its key'),
  LEDGER_LOG_KEY: z
    .base64()
    .length(44, 'must be 32 bytes in base64')
    .optional()
    .describe(
      'the Ed25519 key (32 bytes, base64) that signs checkpoints of the log; without one nothing is ' +
        'sealed in production, and one is made elsewhere',
    ),
  LEDGER_DRIFT_POLICY: z
    .enum(['alert', 'freeze'])
    .default('alert')
    .describe('what is done with a wallet that is not what the log says, beside telling it'),
  SAGA_CONCURRENCY: sagas.describe(
    'default of the setting `saga.concurrency`: stepwise operations under way in a process',
  ),
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
  ...accessEnv,
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('least severe level that is logged'),
  SANDBOX_URL: z.url().optional().describe('payment provider `sandbox` (scripts/dev/sandbox)'),
  PAYMENT_PROVIDER_URL: z.url().optional().describe('payment provider `http`'),
  PAYMENT_PROVIDER_TOKEN: z.string().optional().describe('bearer token for it'),
  SMTP_URL: z
    .string()
    .regex(/^smtps?:\/\//, 'must start with smtp:// or smtps://')
    .optional()
    .describe('mail provider `smtp`, with user and password where it wants them'),
  MAIL_FROM: z
    .string()
    .regex(/^[^\r\n]*@[^\s@]+$/, 'must be an address, or Name <address>')
    .default('Sluice <no-reply@localhost>')
    .describe('sender of mails'),
  MAIL_HTTP_URL: z
    .url()
    .optional()
    .describe(
      'mail provider `email-http`: takes the JSON of Resend (`https://api.resend.com/emails`)',
    ),
  MAIL_HTTP_TOKEN: z.string().optional().describe('bearer token for it'),
  SMS_URL: z
    .url()
    .default('https://api.twilio.com')
    .describe('SMS provider `twilio`, or what speaks its form'),
  SMS_ACCOUNT: z
    .string()
    .regex(/^\w{1,64}$/)
    .optional()
    .describe('account SID; without it there is no SMS'),
  SMS_TOKEN: z.string().optional().describe('auth token of that account'),
  SMS_FROM: z
    .string()
    .optional()
    .describe('sender: a number in E.164, a sender id, or the SID of a messaging service'),
  FCM_URL: z
    .url()
    .default('https://fcm.googleapis.com')
    .describe('push provider `fcm`, or what speaks its form'),
  FCM_SERVICE_ACCOUNT: serviceAccount
    .optional()
    .describe('JSON of a Google service account; without it there is no `fcm`'),
  VAPID_PUBLIC_KEY: z
    .string()
    .regex(/^B[\w-]{86}$/, 'must be an uncompressed P-256 point as base64url')
    .optional()
    .describe('push provider `webpush`; browsers subscribe with this key'),
  VAPID_PRIVATE_KEY: z
    .string()
    .regex(/^[\w-]{43}$/, 'must be 32 bytes as base64url')
    .optional()
    .describe('its private half'),
  VAPID_SUBJECT: z
    .string()
    .regex(/^(mailto:|https:\/\/)/, 'must be a mailto: or https: address')
    .default('mailto:no-reply@localhost')
    .describe('whom a push service may ask about our pushes'),
  WEBHOOK_ALLOW_PRIVATE: z
    .enum(['loopback'])
    .optional()
    .describe('development: webhooks may go to this machine, by http too; production refuses it'),
  DELIVERY_POLICIES: deliveryPolicies.describe(
    'defaults of settings, JSON by channel: pausesMs, timeoutMs, ratePerSecond, inFlightMax',
  ),
  ...TRACE_ENV,
  ...graphqlEnv,
  ...corsEnv,
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
  const unknown = unknownNames(set, envSchema.shape);
  if (parsed.success && unknown.length === 0) {
    const problem = settingsProblem(parsed.data);
    if (problem !== undefined) throw new EnvError(problem);
    return Object.freeze(parsed.data);
  }
  const lines = [
    ...unknown.map((name) => `  ${name}: there is no such setting`),
    ...(parsed.error?.issues ?? []).map(({ path, message }) => `  ${path.join('.')}: ${message}`),
  ];
  throw new EnvError(`The environment is not usable:\n${lines.join('\n')}\nSee .env.example.`);
}

/** As above, for a process that cannot go on: a sentence instead of a stack, and exit code 2. */
export function parseEnvOrEnd(
  source: Readonly<Record<string, string | undefined>>,
  end: { readonly say: (text: string) => void; readonly exit: (code: number) => never },
): Env {
  try {
    return parseEnv(source);
  } catch (error) {
    if (!(error instanceof EnvError)) throw error;
    end.say(`${error.message}\n`);
    return end.exit(2);
  }
}

const SECRETS: ReadonlySet<string> = new Set([
  'BOOTSTRAP_API_KEY',
  'ADMIN_PASSWORD',
  'PAYMENT_PROVIDER_TOKEN',
  'MAIL_HTTP_TOKEN',
  'SMS_TOKEN',
  'FCM_SERVICE_ACCOUNT',
  'VAPID_PRIVATE_KEY',
  'LEDGER_LOG_KEY',
]);

const QUERY_SECRET = /([?&](?:password|token|secret|key)=)[^&#]+/gi;

/** The environment as it may be logged: secrets and the passwords inside URLs are masked. */
export function redactEnv(env: Env): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => {
      if (value !== undefined && SECRETS.has(name)) return [name, '[redacted]'];
      if (typeof value === 'string' && /_URLS?$/.test(name)) {
        return [name, withoutPasswords(name, value).replace(QUERY_SECRET, '$1[redacted]')];
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
