import { describe, expect, it } from 'vitest';
import { EnvError, WORKER_POOLS, parseEnv, redactEnv, redisUrls } from '../../../config/env.ts';

function problemsOf(source: Record<string, string>): string {
  try {
    parseEnv(source);
  } catch (error) {
    if (error instanceof EnvError) return error.message;
    throw error;
  }
  return 'none';
}

describe('the environment', () => {
  it('needs nothing: every name has a default or may be left out', () => {
    const env = parseEnv({});
    expect(env).toMatchObject({
      ...{ NODE_ENV: 'development', PORT: 3000, MONGO_DB: 'sluice', TENANCY: 'shared' },
      WORKER_POOLS,
    });
    expect(Object.isFrozen(env)).toBe(true);
  });

  it('counts empty values as unset, as compose files pass them', () => {
    expect(parseEnv({ PORT: '', ADMIN_PASSWORD: '', WORKER_POOLS: '' })).toEqual(parseEnv({}));
  });

  it('names every problem at once', () => {
    const text = problemsOf({
      ...{ PORT: '70000', MONGO_URL: 'http://x', REDIS_URL: 'x', TENANCY: 'both' },
      ...{ LOG_LEVEL: 'loud', WORKER_POOLS: 'settlement,nonsense', MONGO_DB: 'a.b' },
    });
    const names = ['PORT', 'MONGO_URL', 'REDIS_URL', 'TENANCY', 'LOG_LEVEL', 'WORKER_POOLS'];
    for (const name of [...names, 'MONGO_DB']) expect(text).toContain(`\n  ${name}: `);
    expect(text).toContain('.env.example');
  });

  it('never prints the value of a secret that is wrong', () => {
    const text = problemsOf({ BOOTSTRAP_API_KEY: 'slk_hunter2', ADMIN_PASSWORD: 'hunter3' });
    expect(text).toContain('BOOTSTRAP_API_KEY');
    expect(text).toContain('ADMIN_PASSWORD');
    expect(text).not.toContain('hunter');
  });

  it.each([
    ['settlement', ['settlement']],
    ['recovery, settlement', ['settlement', 'recovery']],
    ['settlement,settlement', ['settlement']],
  ])('reads pools from %j', (text, pools) => {
    expect(parseEnv({ WORKER_POOLS: text }).WORKER_POOLS).toEqual(pools);
  });

  it.each([' ', ',', 'settlement,', 'all', 'SETTLEMENT', 'settlement recovery'])(
    'refuses the pools %j rather than run none',
    (text) => {
      expect(problemsOf({ WORKER_POOLS: text })).toContain('WORKER_POOLS');
    },
  );

  it.each(['0', '65535'])('takes port %s', (PORT) => {
    expect(parseEnv({ PORT }).PORT).toBe(Number(PORT));
  });

  it.each(['-1', '65536', '80.5', 'http', '0x50', ' ', '1e3'])('refuses port %j', (PORT) => {
    expect(problemsOf({ PORT })).toContain('PORT');
  });

  const jwt = {
    ...{ JWT_JWKS_URL: 'https://id.example.test/jwks', JWT_ISSUER: 'https://id.example.test/' },
    JWT_AUDIENCE: 'sluice, other',
  };

  it('takes an issuer of tokens whole, or not at all', () => {
    expect(parseEnv(jwt).JWT_AUDIENCE).toEqual(['sluice', 'other']);
    for (const name of Object.keys(jwt)) {
      expect(problemsOf({ ...jwt, [name]: '' })).toContain('either all of them or none');
    }
    expect(problemsOf({ JWT_TENANT_CLAIM: 'org' })).toContain('of no use without JWT_JWKS_URL');
    const plain = { ...jwt, JWT_JWKS_URL: 'http://id.example.test/jwks' };
    expect(parseEnv(plain).JWT_JWKS_URL).toBe(plain.JWT_JWKS_URL);
    expect(problemsOf({ ...plain, NODE_ENV: 'production' })).toContain('https://');
  });

  it.each([
    { JWT_ALGORITHMS: 'RS256,HS256' },
    { JWT_ALGORITHMS: 'none' },
    { JWT_ALGORITHMS: ',' },
    { JWT_CLOCK_TOLERANCE_SECONDS: '121' },
    { JWT_CLOCK_TOLERANCE_SECONDS: '-1' },
    { JWT_JWKS_URL: 'file:///etc/passwd' },
    { JWT_SCOPES_CLAIM: 'a b' },
  ])('refuses the token setting %j', (source) => {
    const [name = ''] = Object.keys(source);
    expect(problemsOf({ ...jwt, ...source })).toContain(name);
  });

  it('reads a plan, and refuses one that makes no sense', () => {
    const plan = { write: { tenant: { quota: 5, windowSeconds: 1 } }, backlogMax: 7 };
    expect(parseEnv({ DEFAULT_PLAN: JSON.stringify(plan) }).DEFAULT_PLAN).toEqual(plan);
    for (const text of ['{', '5', '{"write":{"tenant":{"quota":0}}}', '{"wirte":{}}']) {
      expect(problemsOf({ DEFAULT_PLAN: text })).toContain('DEFAULT_PLAN');
    }
    expect(parseEnv({}).API_KEY_GRACE_SECONDS).toBe(86_400);
    expect(parseEnv({ API_KEY_GRACE_SECONDS: '0' }).API_KEY_GRACE_SECONDS).toBe(0);
    expect(problemsOf({ API_KEY_GRACE_SECONDS: '1d' })).toContain('API_KEY_GRACE_SECONDS');
  });

  it('refuses webhooks to this machine in production', () => {
    const source = { NODE_ENV: 'production', WEBHOOK_ALLOW_PRIVATE: 'loopback' };
    expect(problemsOf(source)).toContain('WEBHOOK_ALLOW_PRIVATE');
    expect(problemsOf({ WEBHOOK_ALLOW_PRIVATE: 'all' })).toContain('WEBHOOK_ALLOW_PRIVATE');
  });

  it.each([{ SMS_ACCOUNT: 'AC1' }, { SMS_ACCOUNT: 'AC1', SMS_TOKEN: 'x' }])(
    'refuses half of an SMS account: %j',
    (source) => {
      expect(problemsOf(source)).toContain('SMS_FROM');
    },
  );

  it.each([
    ['PAYMENT_PROVIDER_TOKEN', 'PAYMENT_PROVIDER_URL'],
    ['MAIL_HTTP_TOKEN', 'MAIL_HTTP_URL'],
  ])('refuses %s without %s, and takes them together', (token, url) => {
    expect(problemsOf({ [token]: 'hunter2' })).toBe(`${token} is of no use without ${url}`);
    expect(problemsOf({ [token]: 'hunter2', [url]: 'https://a.example' })).toBe('none');
    expect(problemsOf({ [url]: 'https://a.example' }), 'who asks for no token').toBe('none');
  });

  it.each([
    ...['SETTLEMENT_LANE', 'REDIS_QUEU_URL', 'PAYMENT_PROVIDER_KEY', 'SMS_SENDER', 'VAPID_KEY'],
    ...['SLUICE_PORT_API', 'MAIL_HTTP_FROM', 'FCM_KEY', 'MONGO_DB_NAME', 'WEBHOOK_ALLOW_ALL'],
  ])('refuses %s, a misspelt setting that would do nothing, with its name', (name) => {
    expect(problemsOf({ [name]: 'hunter2' })).toContain(`\n  ${name}: there is no such setting`);
    expect(problemsOf({ [name]: 'hunter2' })).not.toContain('hunter2');
    expect(problemsOf({ [name]: '' }), 'empty is unset').toBe('none');
  });

  it('names an unknown setting together with what else is wrong', () => {
    const text = problemsOf({ SETTLEMENT_LANE: '4', PORT: '70000' });
    expect(text).toMatch(/SETTLEMENT_LANE: .*\n {2}PORT: /);
  });

  it.each([
    ...['REDIS_PORT', 'REDIS_SERVICE_HOST', 'REDIS_PORT_6379_TCP_ADDR', 'MONGO_SERVICE_PORT'],
    ...['SMS_SERVICE_PORT_HTTP', 'FCM_PORT_80_TCP', 'REDIS_TLS_URL', 'MONGO_INITDB_DATABASE'],
    ...['SLUICE_URL', 'SLUICE_API_KEY', 'SLUICE_CACHE_DIR', 'WEBHOOK_URL', 'HOME', 'MAIL_HOST'],
  ])('is not disturbed by %s, which others set or other parts read', (name) => {
    expect(problemsOf({ [name]: 'tcp://10.0.0.1:6379' })).toBe('none');
  });

  it('refuses half of a VAPID pair', () => {
    expect(problemsOf({ VAPID_PRIVATE_KEY: 'x'.repeat(43) })).toContain('VAPID_PUBLIC_KEY');
  });

  it.each(['{}', 'nonsense', '{"project_id":"p","client_email":"a@b.c"}'])(
    'refuses the service account %j without printing it',
    (FCM_SERVICE_ACCOUNT) => {
      const text = problemsOf({ FCM_SERVICE_ACCOUNT });
      expect(text).toContain('FCM_SERVICE_ACCOUNT');
      expect(text).not.toContain('a@b.c');
    },
  );

  it('refuses a name of the database that leaves no room for those of the brands', () => {
    const MONGO_DB = 'd'.repeat(31);
    expect(problemsOf({ MONGO_DB })).toBe('none');
    expect(problemsOf({ MONGO_DB, TENANCY: 'per-brand' })).toContain('at most 30 characters');
    expect(problemsOf({ MONGO_DB: 'd'.repeat(30), TENANCY: 'per-brand' })).toBe('none');
  });

  it('refuses failpoints in production', () => {
    expect(problemsOf({ NODE_ENV: 'production', FAILPOINTS: 'settle.before-commit' })).toContain(
      'FAILPOINTS',
    );
  });
});

describe('the addresses of Redis', () => {
  it('fall back to REDIS_URL, each by itself', () => {
    const urls = redisUrls(
      parseEnv({ REDIS_URL: 'redis://main:1', REDIS_QUEUE_URL: 'rediss://queue:2' }),
    );
    expect(urls).toMatchObject({ queue: 'rediss://queue:2', core: 'redis://main:1' });
    expect(new Set(Object.values(urls)).size).toBe(2);
  });
});

describe('the environment in the log', () => {
  it('shows neither secrets nor the passwords inside addresses', () => {
    const shown = JSON.stringify(
      redactEnv(
        parseEnv({
          MONGO_URL: 'mongodb://user:hunter2@a:1,b:2/?replicaSet=rs0',
          REDIS_URL: 'redis://:hunter2@c:3/0',
          REDIS_QUEUE_URL: 'redis://u:p%40hunter2@d:4',
          BOOTSTRAP_API_KEY: 'slk_boot_hunter2hunter2hunter2',
          ADMIN_PASSWORD: 'hunter2hunter2',
          SMTP_URL: 'smtp://sluice:hunter2@mail:587',
          MAIL_HTTP_URL: 'https://mail.example',
          MAIL_HTTP_TOKEN: 'hunter2',
          SMS_ACCOUNT: 'AC1',
          SMS_TOKEN: 'hunter2',
          SMS_FROM: '+15005550006',
          FCM_SERVICE_ACCOUNT: JSON.stringify({
            project_id: 'p',
            client_email: 'a@b.c',
            private_key: '-----BEGIN PRIVATE KEY-----hunter2',
          }),
          VAPID_PUBLIC_KEY: `B${'x'.repeat(86)}`,
          VAPID_PRIVATE_KEY: 'hunter2'.padEnd(43, 'x'),
        }),
      ),
    );
    expect(shown).not.toContain('hunter2');
    expect(shown).toContain('mongodb://[redacted]@a:1,b:2/?replicaSet=rs0');
  });

  it('shows no password that holds a slash or an at sign', () => {
    const REDIS_URL = 'redis://u:hun/ter@2@c:3/0';
    const shown = JSON.stringify(redactEnv(parseEnv({ REDIS_URL })));
    expect(shown).not.toMatch(/hun|ter@/);
  });
});
