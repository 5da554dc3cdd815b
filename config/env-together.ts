/** Parsed settings by name. */
type Settings = Readonly<Record<string, unknown>>;

const NOT_IN_PRODUCTION = ['FAILPOINTS', 'WEBHOOK_ALLOW_PRIVATE'] as const;

/** Names that are of no use without each other. */
const TOGETHER = [
  ['SMS_ACCOUNT', 'SMS_TOKEN', 'SMS_FROM'],
  ['VAPID_PUBLIC_KEY', 'VAPID_PRIVATE_KEY'],
  ['JWT_JWKS_URL', 'JWT_ISSUER', 'JWT_AUDIENCE'],
] as const;

/** What is of no use without another name, while that one is without it. */
const NEEDS = [
  ['PAYMENT_PROVIDER_TOKEN', 'PAYMENT_PROVIDER_URL'],
  ['MAIL_HTTP_TOKEN', 'MAIL_HTTP_URL'],
  ['JWT_ALGORITHMS', 'JWT_JWKS_URL'],
  ['JWT_TENANT_CLAIM', 'JWT_JWKS_URL'],
  ['JWT_SCOPES_CLAIM', 'JWT_JWKS_URL'],
  ['JWT_CLOCK_TOLERANCE_SECONDS', 'JWT_JWKS_URL'],
] as const;

/** MongoDB takes 63 bytes, of which a tenant's id and what stands between need 33. */
const CONTROL_NAME_MAX = 30;

/** What is wrong with settings that are each right by themselves. */
export function settingsProblem(env: Settings): string | undefined {
  return forbidden(env) ?? unaided(env) ?? halfSet(env) ?? tooLong(env);
}

function forbidden(env: Settings): string | undefined {
  if (env['NODE_ENV'] !== 'production') return undefined;
  const name = NOT_IN_PRODUCTION.find((one) => env[one] !== undefined);
  if (name !== undefined) return `${name} must not be set when NODE_ENV is production`;
  // Whoever stands in between would hand out keys of their own.
  const { JWT_JWKS_URL: address } = env;
  const isPlain = typeof address === 'string' && address.startsWith('http:');
  return isPlain ? 'JWT_JWKS_URL must start with https:// when NODE_ENV is production' : undefined;
}

function unaided(env: Settings): string | undefined {
  const found = NEEDS.find(
    ([name, needed]) => env[name] !== undefined && env[needed] === undefined,
  );
  return found && `${found[0]} is of no use without ${found[1]}`;
}

function halfSet(env: Settings): string | undefined {
  const found = TOGETHER.find((names) => {
    const count = names.filter((name) => env[name] !== undefined).length;
    return count !== 0 && count !== names.length;
  });
  return found && `${found.join(', ')}: either all of them or none`;
}

function tooLong({ TENANCY, MONGO_DB }: Settings): string | undefined {
  const length = String(MONGO_DB).length;
  if (TENANCY !== 'per-brand' || length <= CONTROL_NAME_MAX) return undefined;
  const text = `must have at most ${CONTROL_NAME_MAX} characters when TENANCY is per-brand`;
  return `MONGO_DB ${text}, since tenants' databases are named after it`;
}
