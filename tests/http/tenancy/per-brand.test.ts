import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import { PassThrough, Readable } from 'node:stream';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { runSluice } from '../../../cli/program.ts';
import { collectionsOf } from '../../../core/infra/collections.ts';
import { openPlatform } from '../../../runtime/platform.ts';
import { startWorker } from '../../../workers/start.ts';
import {
  type Answer,
  type ApiUnderTest,
  expectProblem,
  freshKey,
  openApi,
} from '../../support/api.ts';
import { nameOfTest } from '../../support/database.ts';
import { startHookServer } from '../../support/hook-server.ts';
import { until } from '../../support/wait.ts';

/** Tenants with a database each: what one does stands nowhere but in its own. */
describe('tenancy per-brand', () => {
  let api: ApiUnderTest;
  let mongo: MongoClient;
  let worker: Awaited<ReturnType<typeof openPlatform>>;
  const acme = 'slk_acmekey1_0123456789abcdefghij';
  const bolt = 'slk_boltkey1_0123456789abcdefghij';

  beforeAll(async () => {
    const env = { TENANCY: 'per-brand', WEBHOOK_ALLOW_PRIVATE: 'loopback' } as const;
    api = await openApi(nameOfTest(), { env });
    mongo = new MongoClient(api.platform.env.MONGO_URL);
    await dropBrands();
    worker = await openPlatform({ ...api.platform.env, SETTLEMENT_LANES: 1 }, 'worker');
    await startWorker(worker);
  }, 60_000);
  afterAll(async () => {
    await worker.lifecycle.close();
    await api.close();
    await dropBrands();
    await mongo.db(control()).dropDatabase();
    await mongo.close();
  }, 60_000);

  const control = (): string => api.platform.env.MONGO_DB;
  const databaseOf = (tenant: string) => mongo.db(`${control()}_${tenant}`);
  const dropBrands = async (): Promise<void> => {
    const { databases } = await mongo.db('admin').admin().listDatabases({ nameOnly: true });
    const brands = databases.filter(({ name }) => name.startsWith(`${control()}_`));
    await Promise.all(brands.map(({ name }) => mongo.db(name).dropDatabase()));
  };
  const waited = (path: string, body: unknown, key?: string): Promise<Answer> =>
    api.post(path, body, {
      headers: { prefer: 'wait=20', 'idempotency-key': freshKey() },
      ...(key !== undefined && { key }),
    });
  const provision = (tenant: string, key: string): Promise<Answer> => {
    const [, id = '', secret = ''] = key.split('_');
    const secretHash = createHash('sha256').update(secret).digest('base64url');
    const input = { tenant, currencies: ['XAC'], firstKey: { id, secretHash } };
    return waited('/v1/operations', { type: 'tenant.provision', input });
  };
  const open = (userId: string, key: string): Promise<Answer> => {
    const wallets = [{ currency: 'EUR', overdraftLimit: '1000' }];
    return waited('/v1/users', { userId, wallets }, key);
  };
  const succeeded = { status: 200, body: expect.objectContaining({ status: 'succeeded' }) };

  it('gives a new tenant a database of its own, and settles there what its key asks for', async () => {
    expect(await provision('acme', acme)).toMatchObject(succeeded);
    expect(await provision('bolt', bolt)).toMatchObject(succeeded);
    expect(await open('ann', acme)).toMatchObject(succeeded);
    expect(await open('ben', acme)).toMatchObject(succeeded);
    expect(await open('ann', bolt)).toMatchObject(succeeded);
    const transfer = { fromUserId: 'ann', toUserId: 'ben', currency: 'EUR', amount: '700' };
    expect(await waited('/v1/transfers', transfer, acme)).toMatchObject(succeeded);

    const users = async (tenant: string) =>
      databaseOf(tenant).collection('users').distinct('userId');
    expect([await users('acme'), await users('bolt'), await users('default')]).toEqual([
      ['ann', 'ben'],
      ['ann'],
      [],
    ]);
    expect(await databaseOf('acme').collection('transactions').countDocuments()).toBe(2);
    expect(await databaseOf('bolt').collection('transactions').countDocuments()).toBe(0);
    const names = async (database: string) =>
      (await mongo.db(database).listCollections({}, { nameOnly: true }).toArray())
        .map(({ name }) => name)
        .sort();
    expect(await names(control())).toEqual([...collectionsOf('control')].sort());
    expect(await names(`${control()}_acme`)).toEqual([...collectionsOf('cell')].sort());
  }, 60_000);

  it('shows a tenant nothing of what stands in the database of another', async () => {
    const [wallet] = await databaseOf('acme')
      .collection('wallets')
      .find({ userId: 'ben' })
      .toArray();
    const path = `/v1/wallets/${String(wallet?._id)}`;
    expect((await api.ask(path, { key: acme })).status).toBe(200);
    expectProblem(await api.ask(path, { key: bolt }), 404, 'not_found');
    const { body } = await api.ask('/v1/transactions', { key: bolt });
    expect(body.items).toEqual([]);
  });

  it('sends webhooks of a brand, and of no other', async () => {
    const hooks = await startHookServer(() => ({ status: 204 }));
    const endpoint = { url: `${hooks.url}/bolt`, events: ['*'] };
    expect((await api.post('/v1/webhook-endpoints', endpoint, { key: bolt })).status).toBe(201);
    expect(await open('cid', bolt)).toMatchObject(succeeded);
    expect(await open('cid', acme)).toMatchObject(succeeded);
    await until(() => hooks.calls('/bolt').length > 0, 'a webhook of bolt');
    expect(await databaseOf('acme').collection('deliveries').countDocuments()).toBe(0);
    expect(await databaseOf('bolt').collection('deliveries').countDocuments()).toBeGreaterThan(0);
  }, 30_000);

  it('keeps what the brands have waiting apart, and counts all of it for autoscalers', async () => {
    const metrics = await api.ask('/metrics', { key: null });
    expect(metrics.text).toMatch(/^sluice_accepted_backlog\{brand="acme"\} \d+$/m);
    expect(metrics.text).toMatch(/^sluice_accepted_backlog\{brand="bolt"\} \d+$/m);
    const { body } = await api.ask('/internal/autoscale', { key: null });
    const depths = body.queues as readonly { readonly queue: string }[];
    const queues = depths.map(({ queue }) => queue);
    expect(queues).toHaveLength(new Set(queues).size);
    expect(queues).toContain('saga');
  });

  it('refuses an operator who asks for a tenant that is not there, and makes it no database', async () => {
    const login = await fetch(`${api.url}/admin/login`, {
      method: 'POST',
      body: new URLSearchParams({ password: 'correct horse battery' }),
      redirect: 'manual',
    });
    const cookie = login.headers
      .getSetCookie()
      .map((one) => one.split(';')[0])
      .join('; ');
    const asked = await fetch(`${api.url}/v1/users`, {
      headers: { cookie, 'sluice-console': '1', 'sluice-tenant': 'nobody' },
    });
    expect(asked.status).toBe(404);
    const own = await fetch(`${api.url}/v1/users`, {
      headers: { cookie, 'sluice-console': '1', 'sluice-tenant': 'acme' },
    });
    expect(own.status).toBe(200);
    const { databases } = await mongo.db('admin').admin().listDatabases({ nameOnly: true });
    expect(databases.map(({ name }) => name)).not.toContain(`${control()}_nobody`);
  });

  it('verifies the ledger of every brand by one command', async () => {
    const { MONGO_URL } = api.platform.env;
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    let code = -1;
    await runSluice(['ledger', 'verify', '--json', '--quiet'], {
      ...{ stdin: Readable.from([]), stdout, stderr, dev: undefined },
      exit: (given) => {
        code = given;
      },
      env: { MONGO_URL, MONGO_DB: control() },
    });
    const lines = String(stdout.read() ?? '')
      .trimEnd()
      .split('\n');
    const reports = lines.map((line) => JSON.parse(line) as { database: string; verdict: string });
    expect(reports.map(({ database, verdict }) => [database, verdict])).toEqual([
      [`${control()}_acme`, 'sound'],
      [`${control()}_bolt`, 'sound'],
      [`${control()}_default`, 'sound'],
    ]);
    expect(code).toBe(0);
  });

  it('does not start with the other tenancy on what is there', async () => {
    const shared = openPlatform({ ...api.platform.env, TENANCY: 'shared' }, 'worker');
    await expect(shared).rejects.toThrow('was set up with TENANCY=per-brand');
    const brand = { TENANCY: 'shared', MONGO_DB: `${control()}_acme` } as const;
    const own = await openPlatform({ ...api.platform.env, ...brand }, 'worker');
    onTestFinished(() => own.lifecycle.close());
    const control2 = openPlatform({ ...own.env, TENANCY: 'per-brand' }, 'worker');
    await expect(control2).rejects.toThrow('was set up with TENANCY=shared');
  });

  it('rebuilds the queues of every brand by one command, and a new process finds the cells', async () => {
    await worker.lifecycle.close();
    const transfer = { fromUserId: 'ann', toUserId: 'cid', currency: 'EUR', amount: '1' };
    const accepted = await api.post('/v1/transfers', transfer, { key: bolt });
    expect(accepted.status).toBe(202);
    const { MONGO_URL, REDIS_URL, QUEUE_PREFIX } = api.platform.env;
    const redis = new Redis(REDIS_URL);
    const jobs = await redis.keys(`${QUEUE_PREFIX}-bolt:*`);
    expect(await redis.unlink(jobs)).toBeGreaterThan(0);
    redis.disconnect();

    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    await runSluice(['redispatch', '--all', '--json', '--quiet'], {
      ...{ stdin: Readable.from([]), stdout, stderr, dev: undefined, exit: () => undefined },
      env: { MONGO_URL, MONGO_DB: control(), REDIS_URL, QUEUE_PREFIX },
    });
    const lines = String(stdout.read() ?? '')
      .trimEnd()
      .split('\n');
    const reports = lines.map((line) => JSON.parse(line) as { database: string; enqueued: number });
    expect(reports.map(({ database, enqueued }) => [database, enqueued])).toEqual([
      [`${control()}_acme`, 0],
      [`${control()}_bolt`, 1],
      [`${control()}_default`, 0],
    ]);

    const second = await openPlatform({ ...api.platform.env, SETTLEMENT_LANES: 1 }, 'worker');
    onTestFinished(() => second.lifecycle.close());
    await startWorker(second);
    await until(async () => {
      const { body } = await api.ask(`/v1/operations/${accepted.body.id}`, { key: bolt });
      return body.status === 'succeeded';
    }, 'the transfer settles');
  }, 60_000);
});
