import { describe, expect, it } from 'vitest';
import { collection } from '../../../core/infra/collections.ts';
import type { ConfigDoc } from '../../../core/service-config/config-document.ts';
import type { Platform } from '../../../runtime/platform.ts';
import { type Instance, openWorld } from '../../support/platform.ts';
import { sluiceOn } from '../../support/sluice-command.ts';
import { until } from '../../support/wait.ts';

/** The promise is 5 s; a machine that is busy gets a little more. */
const SOON_MS = 5_000;

async function reads(nodes: readonly Instance[], value: number): Promise<void> {
  const now = () =>
    nodes.map(({ platform }) => platform.settings.now.read('saga.concurrency')).join();
  const wanted = nodes.map(() => value).join();
  await until(
    () => now() === wanted,
    () => `${now()} becomes ${wanted}`,
    SOON_MS,
  );
}

const WHY = ['--reason', 'a test'] as const;

const set = async ({ platform }: Instance, ...args: readonly string[]) => {
  const { code, err } = await sluiceOn(platform, 'config', 'set', ...args, ...WHY);
  expect({ code, err }).toEqual({ code: 0, err: '' });
};

function invalidNow({ metrics }: Platform) {
  return metrics.settingsInvalid.get().then(({ values: [first] }) => first?.value);
}

/** As somebody would who edits the database by hand. */
async function byHand({ platform }: Instance, values: unknown) {
  await collection<ConfigDoc>(platform.mongo.db, 'service_configs').updateOne(
    { _id: 'installation' },
    { $set: { values: values as never, scope: {}, author: 'me', reason: '', version: 9 } },
    { upsert: true },
  );
}

describe('settings, in every process', () => {
  it('follow a change within five seconds, and a rollback', async () => {
    const { node, open } = await openWorld();
    const nodes = [node, await open()];
    await set(node, 'saga.concurrency', '64');
    await reads(nodes, 64);
    await set(node, 'saga.concurrency=32', 'payment.timeoutMs=3s');
    await reads(nodes, 32);
    expect(node.platform.settings.now.read('payment.timeoutMs')).toBe(3_000);
    const { out } = await sluiceOn(node.platform, 'config', 'rollback', '1', ...WHY);
    expect(out).toContain('saga.concurrency: 32 → 64');
    await reads(nodes, 64);
    await sluiceOn(node.platform, 'config', 'unset', 'saga.concurrency', ...WHY);
    await reads(nodes, 512);
    const { out: history } = await sluiceOn(node.platform, 'config', 'history', '--json');
    const { items } = JSON.parse(history) as { items: { version: number; action: string }[] };
    expect(items.map(({ version, action }) => `${String(version)} ${action}`)).toEqual([
      ...['4 unset', '3 rollback', '2 set', '1 set'],
    ]);
  });

  it('give the environment the place of what is built in, and no more', async () => {
    const { node, open } = await openWorld();
    const other = await open({ SAGA_CONCURRENCY: 16 });
    expect(other.platform.settings.now.read('saga.concurrency')).toBe(16);
    await set(node, 'saga.concurrency', '64');
    await reads([node, other], 64);
  });

  it('stay as they last were good when a document is spoilt by hand, and say so', async () => {
    const { node, open } = await openWorld();
    await set(node, 'saga.concurrency', '64');
    await reads([node], 64);
    await byHand(node, { 'saga.concurrency': 'lots' });
    await until(async () => (await invalidNow(node.platform)) === 1, 'it is seen', SOON_MS);
    expect(node.platform.settings.now.read('saga.concurrency')).toBe(64);
    // Who starts now has it from the history.
    const late = await open();
    expect(late.platform.settings.now.read('saga.concurrency')).toBe(64);
    expect(await invalidNow(late.platform)).toBe(1);
    const { err } = await sluiceOn(node.platform, 'config', 'list');
    expect(err).toContain('installation is stored as it cannot be used');
    // What is changed next rests on what was good.
    await set(node, 'payment.timeoutMs', '2s');
    await until(async () => (await invalidNow(node.platform)) === 0, 'it is mended', SOON_MS);
    const timeout = () => late.platform.settings.now.read('payment.timeoutMs');
    await until(() => timeout() === 2_000, 'the other hears of it', SOON_MS);
    await reads([node, late], 64);
  });

  it.each([
    ['out of bounds', { 'saga.concurrency': 1_000_000 }],
    ['contradictory', { 'payment.retryBaseMs': 600_000 }],
    ['no object', 'nothing'],
  ])('are as built in where nothing was ever good: %s', async (_what, values) => {
    const { node, open } = await openWorld();
    await byHand(node, values);
    const late = await open();
    expect(late.platform.settings.now.read('saga.concurrency')).toBe(512);
    expect(late.platform.settings.now.read('payment.retryBaseMs')).toBe(250);
    expect(await invalidNow(late.platform)).toBe(1);
  });

  it('of names that only a newer version knows are passed over, and kept', async () => {
    const { node, open } = await openWorld();
    await byHand(node, { 'saga.concurrency': 64, 'warp.factor': 9 });
    const late = await open();
    expect(late.platform.settings.now.read('saga.concurrency')).toBe(64);
    await set(late, 'payment.timeoutMs', '2s');
    const stored = await collection<ConfigDoc>(node.platform.mongo.db, 'service_configs').findOne({
      _id: 'installation',
    });
    expect(stored?.values).toMatchObject({ 'warp.factor': 9, 'saga.concurrency': 64 });
  });
});

describe('sluice config', () => {
  it('refuses what makes no sense, with what is allowed, and changes nothing', async () => {
    const { node } = await openWorld();
    const refused = [
      [['set', 'saga.concurency', '9', ...WHY], 'saga.concurrency'],
      [['set', 'saga.concurrency', 'many', ...WHY], 'a whole number from 8 to 4096'],
      [['set', 'saga.concurrency', '7', ...WHY], 'a whole number from 8 to 4096'],
      [['set', 'saga.concurrency', '64'], '--reason'],
      [['set', 'delivery.jitter', '0.1', '--channel', 'fax', ...WHY], '--channel'],
      [['set', 'delivery.jitter', '0.1', '--tenant', 'nobody', ...WHY], 'no tenant nobody'],
      [['rollback', '7', ...WHY], 'no version 7'],
    ] as const;
    for (const [args, says] of refused) {
      const { code, err } = await sluiceOn(node.platform, 'config', ...args);
      expect([code, err]).toEqual([2, expect.stringContaining(says)]);
    }
    const late = ['set', 'saga.concurrency', '64', '--version', '3', ...WHY];
    expect((await sluiceOn(node.platform, 'config', ...late)).code).toBe(1);
    const dry = await sluiceOn(
      ...([node.platform, 'config', 'set', 'saga.concurrency', '64', '--dry-run', ...WHY] as const),
    );
    expect(dry.out).toContain('saga.concurrency: - → 64');
    const { db } = node.platform.mongo;
    expect(await db.collection('service_config_history').countDocuments()).toBe(0);
    const { out } = await sluiceOn(node.platform, 'config', 'get', 'saga.concurrency', '--json');
    expect(JSON.parse(out)).toMatchObject({ value: 512, source: 'default', version: 0 });
  });
});
