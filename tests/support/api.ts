import { afterAll, beforeAll, expect } from 'vitest';
import { Redis } from 'ioredis';
import type { Db } from 'mongodb';
import { type ApiTuning, startApi } from '../../api/start.ts';
import { type Env, parseEnv } from '../../config/env.ts';
import { COLLECTIONS } from '../../core/infra/collections.ts';
import { type Platform, openPlatform } from '../../runtime/platform.ts';
import { mintApiKey } from '../../core/access/api-key.ts';
import type { Scope } from '../../core/access/scopes.ts';
import { createApiKeyStore } from '../../core/access/api-key-store.ts';
import { createTenantStore } from '../../core/tenants/tenant-store.ts';
import { openHints } from '../../core/events/hints.ts';
import { openQueues } from '../../queues/producer.ts';
import { type Sandbox, startSandbox } from '../../scripts/dev/sandbox/server.ts';
import { createEnvGuard, createProviders } from '../../core/notifications/providers/registry.ts';
import { startNotifications } from '../../workers/notifications.ts';
import { startRecovery } from '../../workers/recovery.ts';
import { startSagas } from '../../workers/saga.ts';
import { startSettlement } from '../../workers/settlement.ts';
import { contractBreach } from './contract.ts';
import { clear, emptyTestDatabase, nameOfTest } from './database.ts';

export const ADMIN_KEY = 'slk_admin_0123456789abcdefghij';
export const ADMIN_PASSWORD = 'correct horse battery';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed JSON, or undefined when it is not JSON. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- an answer may be anything
  readonly body: any;
  readonly text: string;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, unless it is text or bytes already. */
  readonly body?: unknown;
  /** The admin key of the default tenant unless stated; null: none. */
  readonly key?: string | null;
}

/** A real API on a free port, over a database of its own. */
export interface ApiUnderTest {
  readonly url: string;
  readonly port: number;
  readonly platform: Platform;
  readonly sandbox: Sandbox;
  readonly db: Db;
  ask(path: string, ask?: Ask): Promise<Answer>;
  /** POST with a fresh idempotency key unless the headers have one. */
  post(path: string, body: unknown, ask?: Ask): Promise<Answer>;
  newKey(options: {
    readonly tenantId?: string;
    readonly scopes: readonly Scope[];
  }): Promise<string>;
  newTenant(tenantId: string, currencies?: readonly string[]): Promise<void>;
  /** How many operations are stored: what is left of `effects` while a worker is at work. */
  operations(): Promise<number>;
  /** Documents per collection that a request may have an effect on, and jobs of operations. */
  effects(): Promise<Readonly<Record<string, number>>>;
  close(): Promise<void>;
}

interface ApiOptions {
  /** Settle as well, in this process. */
  readonly worker?: boolean;
  /** Stepwise operations and timers as well, with a payment provider of their own. */
  readonly sagas?: boolean;
  /** Events and deliveries as well. */
  readonly notifications?: boolean;
  readonly env?: Partial<Env>;
  readonly tuning?: ApiTuning;
}

let keys = 0;

/** An idempotency key that no other request of this process uses. */
export function freshKey(): string {
  keys += 1;
  return `test-key-${keys}`;
}

/** Opens an API for all tests of the suite and closes it after them. */
export function useApi(options: ApiOptions = {}): ApiUnderTest {
  let api: ApiUnderTest | undefined;
  let name = '';
  beforeAll(async () => {
    name = nameOfTest();
    api = await openApi(name, options);
  });
  afterAll(async () => {
    await api?.close();
    await clear(await emptyTestDatabase(name));
  });
  // Filled in before the first test runs; tests only see it from inside.
  return new Proxy({} as ApiUnderTest, {
    get: (_target, property) => {
      if (api === undefined) throw new Error('the API is not open yet');
      return Reflect.get(api, property) as unknown;
    },
  });
}

export async function openApi(name: string, options: ApiOptions = {}): Promise<ApiUnderTest> {
  const database = await emptyTestDatabase(name);
  const parsed = parseEnv({
    NODE_ENV: 'test',
    PORT: '0',
    MONGO_URL: database.mongoUrl,
    MONGO_DB: name,
    REDIS_URL: database.redisUrl,
    QUEUE_PREFIX: name,
    BOOTSTRAP_API_KEY: ADMIN_KEY,
    ADMIN_PASSWORD,
    LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'silent',
  });
  const sandbox = await startSandbox();
  const env = { ...parsed, SANDBOX_URL: sandbox.url, ...options.env };
  const platform = await openPlatform(env, 'api-test');
  platform.lifecycle.onClose('sandbox', () => sandbox.close());
  const { port } = await startApi(platform, options.tuning);
  if (options.worker === true || options.sagas === true) startWorker(platform, options);
  return apiOf(platform, port, sandbox);
}

/** The fault tests have leases of this kind, too: nobody waits half a minute for a dead worker. */
const HASTY = { leaseMs: 3_000, heartbeatMs: 800, fenceMs: 500 };

function startWorker(platform: Platform, { sagas, notifications }: ApiOptions): void {
  const queues = openQueues(platform);
  platform.lifecycle.onClose('worker queues', () => queues.close());
  const hints = openHints(platform.redis);
  platform.lifecycle.onClose('worker hints', () => hints.close());
  const { publisher } = queues;
  startSettlement({ platform, publisher, hints });
  if (notifications === true) {
    const { env } = platform;
    const providers = createProviders({ env, guard: createEnvGuard(env) });
    startNotifications({ platform, publisher, providers });
  }
  if (sagas !== true) return;
  startSagas({ platform, publisher, hints, timing: HASTY });
  startRecovery({ platform, publisher, sweepIntervalMs: 300 });
}

function apiOf(platform: Platform, port: number, sandbox: Sandbox): ApiUnderTest {
  const { db } = platform.mongo;
  const url = `http://127.0.0.1:${port}`;
  const ask = (path: string, options: Ask = {}): Promise<Answer> => send(`${url}${path}`, options);
  return {
    url,
    port,
    platform,
    sandbox,
    db,
    ask,
    post: (path, body, options = {}) =>
      ask(path, {
        ...options,
        method: 'POST',
        body,
        headers: { 'idempotency-key': freshKey(), ...options.headers },
      }),
    newKey: async ({ tenantId = 'default', scopes }) => {
      const { doc, text } = mintApiKey({ tenantId, scopes, name: 'test', at: new Date() });
      await createApiKeyStore(db).ensure(doc);
      return text;
    },
    newTenant: (tenantId, currencies = []) =>
      createTenantStore(db).ensure({ _id: tenantId, currencies, createdAt: new Date() }),
    operations: () => db.collection('operations').countDocuments(),
    effects: () => countEffects(platform),
    close: () => platform.lifecycle.close(),
  };
}

async function send(url: string, { method = 'GET', headers, body, key }: Ask): Promise<Answer> {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(key !== null && { authorization: `Bearer ${key ?? ADMIN_KEY}` }),
      ...headers,
    },
    ...(body !== undefined && { body: isRaw ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const answer = { status: response.status, headers: response.headers, text };
  const { pathname } = new URL(url);
  expect(contractBreach(method, pathname, answer), 'the answer is as the reference says').toBe(
    undefined,
  );
  return { ...answer, body: jsonIn(text) };
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** What a request could leave behind. Workers and leases move by themselves. */
const EFFECTLESS: ReadonlySet<string> = new Set(['workers', 'leases', 'ledger_marks']);

async function countEffects({ mongo: { db }, env }: Platform) {
  const names = Object.keys(COLLECTIONS).filter((name) => !EFFECTLESS.has(name));
  const counts = await Promise.all(
    names.map(async (name) => [name, await db.collection(name).countDocuments()] as const),
  );
  return { ...Object.fromEntries(counts), jobs: await countJobs(env) };
}

async function countJobs(env: Env): Promise<number> {
  const redis = new Redis(env.REDIS_URL);
  try {
    const jobs = new Set<string>(); // a scan may show a key twice
    for await (const keys of redis.scanStream({
      match: `${env.QUEUE_PREFIX}:*:op_*`,
      count: 1_000,
    })) {
      for (const key of keys as readonly string[]) jobs.add(key);
    }
    return jobs.size;
  } finally {
    redis.disconnect();
  }
}

/** What every refusal has to be: RFC 9457, with a code that the documentation explains. */
export function expectProblem(answer: Answer, status: number, code: string): void {
  expect({ status: answer.status, code: answer.body?.code, type: answer.body?.type }).toEqual({
    status,
    code,
    type: `/problems/${code}`,
  });
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  const { title, detail, retryable, correlationId } = answer.body;
  expect({ title, detail, retryable, correlationId }).toEqual({
    title: expect.any(String),
    detail: expect.any(String),
    retryable: expect.any(Boolean),
    correlationId: answer.headers.get('x-correlation-id'),
  });
  expect(answer.body.status).toBe(status);
}

/** Where a problem document says that something is wrong, sorted. */
export function pointersOf({ body }: Answer): readonly string[] {
  const { errors = [] } = body as { readonly errors?: readonly { readonly pointer: string }[] };
  return errors.map(({ pointer }) => pointer).sort((a, b) => (a < b ? -1 : 1));
}

interface ParameterError {
  readonly parameter: string;
  readonly in: string;
}

/** The parameters of the query that a problem document finds fault with, in order. */
export function parametersOf({ body }: Answer): readonly string[] {
  const { errors = [] } = body as { readonly errors?: readonly ParameterError[] };
  return errors.map(({ parameter, in: where }) => (where === 'query' ? parameter : `${where}?`));
}
