import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkEnvironment, checkNode } from '../../../cli/doctor/check-environment.ts';
import { checkFiles, checkPort } from '../../../cli/doctor/check-machine.ts';
import { checkMongo, comparedIndexes, freeOf, skewOf } from '../../../cli/doctor/check-mongo.ts';
import { runSluice } from '../../../cli/program.ts';
import { COLLECTIONS } from '../../../core/infra/collections.ts';
import { openWorld } from '../../support/platform.ts';
import { startOwnRedis } from '../../support/redis-server.ts';
import { pickPort } from '../../../scripts/dev/servers/ports.ts';

interface Check {
  readonly name: string;
  readonly status: string;
  readonly detail: string;
  readonly remedy?: string;
}

async function doctor(env: Readonly<Record<string, string>>, ...options: string[]) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  let code = -1;
  await runSluice(['doctor', ...options], {
    stdin: Readable.from([]),
    ...{ stdout, stderr, env: { PORT: '0', ...env }, dev: undefined },
    exit: (given) => {
      code = given;
    },
  });
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
}

async function checksOf(env: Readonly<Record<string, string>>): Promise<readonly Check[]> {
  const { out } = await doctor(env, '--json');
  return (JSON.parse(out) as { checks: Check[] }).checks;
}

const named = (checks: readonly Check[], name: string, status: string): readonly Check[] =>
  checks.filter((one) => one.name === name && one.status === status);

const closedUrl = async (): Promise<string> => `http://127.0.0.1:${await pickPort([])}`;

describe('sluice doctor', () => {
  it('finds indexes that are missing and others that nobody needs', async () => {
    const { database, node } = await openWorld();
    const env = {
      MONGO_URL: database.mongoUrl,
      MONGO_DB: database.name,
      REDIS_URL: database.redisUrl,
    };
    const well = await checksOf(env);
    expect(named(well, 'indexes', 'ok')).toHaveLength(1);
    expect(well.filter(({ status }) => status === 'problem')).toEqual([]);
    expect((await doctor(env)).code).toBe(0);
    const { db } = node.platform.mongo;
    await db.collection('operations').dropIndex('tenantId_1_idempotencyKey_1');
    await db.collection('users').createIndex({ nickname: 1 });
    const ill = await checksOf(env);
    expect(named(ill, 'indexes', 'problem')).toMatchObject([
      { detail: expect.stringContaining('{"tenantId":1,"idempotencyKey":1}') },
    ]);
    expect(named(ill, 'indexes', 'warning')).toMatchObject([
      { remedy: expect.stringContaining('db.users.dropIndex("nickname_1")') },
    ]);
    const { code, out } = await doctor(env, '--quiet');
    expect(code).toBe(1);
    expect(out).toMatch(/^FAIL +indexes .*\n +→ /m);
    expect(out).not.toMatch(/^ok /m);
  });

  it('finds a Redis that evicts jobs, forgets them, or is away', async () => {
    const redis = await startOwnRedis();
    onTestFinished(() => redis.close());
    const { database } = await openWorld();
    const env = { MONGO_URL: database.mongoUrl, MONGO_DB: database.name, REDIS_URL: redis.url };
    await redis.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const evicting = await checksOf(env);
    expect(named(evicting, 'redis-policy', 'problem')).toMatchObject([
      { detail: expect.stringContaining('allkeys-lru') },
    ]);
    expect(named(evicting, 'redis-aof', 'warning')).toHaveLength(1);
    expect(named(evicting, 'clock-redis', 'ok')).toHaveLength(1);
    await redis.stop();
    expect(named(await checksOf(env), 'redis', 'problem')).toHaveLength(1);
  });

  it('finds providers that cannot be reached, and servers that are away', async () => {
    const env = {
      MONGO_URL: `mongodb://127.0.0.1:${await pickPort([])}/`,
      REDIS_URL: `redis://127.0.0.1:${await pickPort([])}`,
      PAYMENT_PROVIDER_URL: await closedUrl(),
      SMTP_URL: (await closedUrl()).replace('http', 'smtp'),
    };
    const checks = await checksOf(env);
    for (const name of ['mongodb', 'redis', 'payment/http', 'email/smtp']) {
      expect(named(checks, name, 'problem'), name).toHaveLength(1);
    }
    const ills = checks.filter(({ status }) => status === 'problem' || status === 'warning');
    expect(ills.filter(({ remedy = '' }) => remedy === '' || remedy.includes('\n'))).toEqual([]);
  });

  it('knows the version and the clock of a server that is well', async () => {
    const { database } = await openWorld();
    const checks = await checkMongo(database.mongoUrl, database.name);
    for (const name of ['mongodb', 'replica-set', 'clock-mongodb']) {
      expect(checks.find((one) => one.name === name)?.status, name).toBe('ok');
    }
  });
});

describe('its looks at this machine', () => {
  it('find settings that are misspelt, wrong or half', () => {
    const problems = (env: Readonly<Record<string, string>>) =>
      checkEnvironment(env).results.filter(({ status }) => status === 'problem');
    expect(problems({})).toEqual([]);
    const wrong = problems({ SETTLEMENT_LANE: '4', PORT: 'x' }).map(({ detail }) => detail);
    expect(wrong).toEqual([
      expect.stringContaining('SETTLEMENT_LANE: there is no such setting'),
      expect.stringContaining('PORT: must be a port number'),
    ]);
    expect(problems({ SMS_ACCOUNT: 'a' })).toMatchObject([
      { detail: expect.stringContaining('SMS_ACCOUNT, SMS_TOKEN, SMS_FROM') },
    ]);
  });

  it('find a Node that is too old', () => {
    expect(checkNode('v20.20.2').status).toBe('problem');
    expect(checkNode('v22.15.0').status).toBe('warning');
    expect(checkNode('v24.21.0').status).toBe('ok');
    expect(checkNode('what').status).toBe('problem');
  });

  it('find secrets that others may read', () => {
    const root = mkdtempSync(join(tmpdir(), 'sluice-doctor-'));
    onTestFinished(() => {
      rmSync(root, { recursive: true });
    });
    expect(checkFiles(root)).toMatchObject([{ status: 'ok' }]);
    mkdirSync(join(root, '.data'));
    const file = join(root, '.data/dev.json');
    writeFileSync(file, '{}');
    chmodSync(file, 0o644);
    expect(checkFiles(root)).toMatchObject([
      { status: 'problem', remedy: 'chmod 600 .data/dev.json' },
    ]);
    chmodSync(file, 0o600);
    expect(checkFiles(root)).toMatchObject([{ status: 'ok' }]);
  });

  it('find a port that somebody else has', async () => {
    const stranger = createServer((_request, response) => response.end('hello'));
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    const { port } = stranger.address() as AddressInfo;
    const look = () => checkPort({ HOST: '127.0.0.1', PORT: port });
    expect(await look()).toMatchObject({ status: 'warning' });
    await new Promise((resolve) => stranger.close(resolve));
    expect(await look()).toMatchObject({ status: 'ok' });
  });

  it('judge clocks and disks by how far and how full', () => {
    expect([20, -2_000, 9_000].map((ms) => skewOf('c', ms).status)).toEqual([
      'ok',
      'warning',
      'problem',
    ]);
    expect([0.5, 0.15, 0.05].map((free) => freeOf('d', free).status)).toEqual([
      'ok',
      'warning',
      'problem',
    ]);
  });

  it('take no other index for the one that is needed', () => {
    const { indexes } = COLLECTIONS.workers;
    const [wanted] = indexes;
    const stored = { name: 'seenAt_1', ...wanted };
    expect(comparedIndexes('workers', indexes, [stored])).toEqual([]);
    const slower = { ...stored, expireAfterSeconds: 60 };
    expect(comparedIndexes('workers', indexes, [slower]).map(({ status }) => status)).toEqual([
      'problem',
      'warning',
    ]);
  });
});
