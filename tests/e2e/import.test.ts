import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generatePayday } from '../../examples/payday.ts';
import { pickPort, waitUntil } from '../../scripts/dev/servers/ports.ts';
import { type LocalRedis, startRedis } from '../../scripts/dev/servers/redis.ts';
import { expectedBalances } from './import-model.ts';
import { type Platform, startPlatform } from './import-platform.ts';

const LINES = [...generatePayday({ users: 235, seed: 5, days: 1 })];
const EXPECTED = expectedBalances(LINES);
const TIMEOUT_MS = 240_000;

let folder: string;
let file: string;
let redis: LocalRedis;
let platform: Platform;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-e2e-'));
  file = join(folder, 'payday.ndjson');
  writeFileSync(file, LINES.map((line) => `${JSON.stringify(line)}\n`).join(''));
  // Its own, since it is emptied on the way.
  const port = await pickPort([]);
  redis = await startRedis({ dataDir: join(folder, 'redis'), log: () => undefined, port });
});

afterAll(async () => {
  await redis.stop();
  rmSync(folder, { recursive: true });
});

async function importFile(): Promise<Record<string, unknown>> {
  const { code, out, err } = await platform.sluice(['import', file, '--json']).ended;
  expect({ code, err }).toMatchObject({ code: 0 });
  return JSON.parse(out) as Record<string, unknown>;
}

async function expectSound(): Promise<void> {
  const { code, out } = await platform.sluice(['ledger', 'verify', '--json']).ended;
  const report = JSON.parse(out) as { violations: unknown; counts: unknown };
  expect(report.violations).toEqual([]);
  expect(report.counts).toMatchObject({ operations: LINES.length });
  expect(code).toBe(0);
}

describe('sluice import against a real API and worker', { timeout: TIMEOUT_MS }, () => {
  beforeAll(async () => {
    platform = await startPlatform('plain', redis.url);
  });
  afterAll(() => platform.close());

  it('brings every balance to what the file says', async () => {
    expect(await importFile()).toMatchObject({
      lines: LINES.length,
      new: LINES.length,
      succeeded: LINES.length,
      rejected: {},
      refused: {},
    });
    expect(await platform.balances()).toEqual(EXPECTED);
    await expectSound();
  });

  it('changes nothing when it is repeated', async () => {
    expect(await importFile()).toMatchObject({ new: 0, known: LINES.length });
    expect(await platform.balances()).toEqual(EXPECTED);
    await expectSound();
  });

  it('reports a line that is refused and one that is rejected, and fails', async () => {
    const bad = join(folder, 'bad.ndjson');
    const [user] = LINES.filter(({ type }) => type === 'user.create');
    const debit = { userId: user?.input['userId'], currency: 'EUR', amount: '999999999999' };
    const lines = [
      { type: 'wallet.debit', idempotencyKey: 'bad-1', input: debit },
      { type: 'wallet.debit', idempotencyKey: 'bad-2', input: { ...debit, amount: '-5' } },
    ];
    writeFileSync(bad, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    const { code, out } = await platform.sluice(['import', bad, '--json']).ended;
    expect(JSON.parse(out)).toMatchObject({
      rejected: { insufficient_funds: 1 },
      refused: { invalid_request: 1 },
    });
    expect(code).toBe(1);
    expect(await platform.balances()).toEqual(EXPECTED);
  });
});

describe('sluice import while processes die and Redis is emptied', { timeout: TIMEOUT_MS }, () => {
  beforeAll(async () => {
    platform = await startPlatform('rough', redis.url);
  });
  afterAll(() => platform.close());

  const settled = (): Promise<number> =>
    platform.mongo.db.collection('operations').countDocuments({ status: { $ne: 'accepted' } });

  async function whenSettled(count: number): Promise<void> {
    const isThere = async (): Promise<boolean> => (await settled()) >= count;
    expect(await waitUntil(isThere, { timeoutMs: TIMEOUT_MS })).toBe(true);
  }

  it('ends with the same balances', async () => {
    const client = new Redis(redis.url);
    // Small chunks and a small window, so that it is still sending when the worker dies.
    const args = ['import', file, '--json', '--chunk', '200', '--window', '1000'];
    const run = platform.sluice(args);
    await whenSettled(1);
    expect(platform.worker.kill('SIGKILL')).toBe(true);
    await whenSettled(300);
    await client.flushall();
    await whenSettled(700);
    expect(platform.worker.kill('SIGKILL')).toBe(true);
    expect(platform.api.kill('SIGKILL')).toBe(true);
    await whenSettled(1_200);
    await client.flushall();
    expect(platform.worker.kill('SIGKILL')).toBe(true);
    const { code, out, err } = await run.ended;
    await client.quit();
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(JSON.parse(out)).toMatchObject({ lines: LINES.length, succeeded: LINES.length });
    expect(platform.worker.restarts).toBe(3);
    expect(await platform.balances()).toEqual(EXPECTED);
    await expectSound();
  });
});
