import { describe, expect, it } from 'vitest';
import { collection } from '../../../core/infra/collections.ts';
import type { DeliveryDoc } from '../../../core/notifications/delivery/delivery.ts';
import { startRecovery } from '../../../workers/recovery.ts';
import { startNotifications } from '../../../workers/notifications.ts';
import { createEnvGuard, createProviders } from '../../../core/notifications/providers/registry.ts';
import { parseEnv } from '../../../config/env.ts';
import { createTenantStore } from '../../../core/tenants/tenant-store.ts';
import { type Notifying, TENANT_ID, finished, openNotifying } from '../../support/notifying.ts';
import { sluiceOn } from '../../support/sluice-command.ts';
import { until } from '../../support/wait.ts';

const WHY = ['--reason', 'a test'] as const;

async function sluice({ node }: Notifying, ...args: readonly string[]): Promise<void> {
  const { code, err } = await sluiceOn(node.platform, ...args, ...WHY);
  expect([code, err]).toEqual([0, '']);
}

/** Notifications as a worker has them: what is set counts, nothing is in a hurry. */
async function openUsual(): Promise<Notifying> {
  const world = await openNotifying({ isSilent: true });
  const { node, standIns } = world;
  await createTenantStore(node.platform.mongo.db).ensure({
    _id: TENANT_ID,
    currencies: [],
    createdAt: new Date(),
  });
  const env = { ...parseEnv({ ...standIns.env, NODE_ENV: 'test' }) };
  startNotifications({
    platform: node.platform,
    publisher: node.queues.publisher,
    providers: createProviders({ env, guard: createEnvGuard(env) }),
  });
  startRecovery({
    platform: node.platform,
    publisher: node.queues.publisher,
    sweepIntervalMs: 500,
  });
  return world;
}

const settled = { name: 'transfer.settled', data: { amount: '1' } } as const;

describe('a paused channel', () => {
  it('sends nothing, uses up no attempt, and sends everything once it is resumed', async () => {
    const world = await openUsual();
    const { node, standIns, endpoint, happen, deliveries } = world;
    await endpoint('one');
    await sluice(world, 'pause', '--channel', 'webhook', '--tenant', 'default');
    await until(() => node.platform.pauses.active.length === 1, 'it is known', 5_000);
    await happen(settled, settled);
    const isHeld = async () =>
      (await deliveries()).filter(({ deferral }) => deferral?.code === 'paused').length === 2;
    await until(isHeld, 'both are put off');
    expect(standIns.receiver.received('webhooks')).toEqual([]);
    await sluice(world, 'resume', '--channel', 'webhook', '--tenant', 'default');
    const sent = await finished(world, 2);
    expect(sent.map(({ status, attemptsUsed }) => [status, attemptsUsed])).toEqual([
      ['sent', 1],
      ['sent', 1],
    ]);
    expect(standIns.receiver.received('webhooks')).toHaveLength(2);
  });
});

describe('the pauses between attempts', () => {
  it('are as they are set, also of what has begun, and attempts stay what they are', async () => {
    const world = await openUsual();
    const { node, standIns, endpoint, happen, deliveries } = world;
    await endpoint('one');
    standIns.receiver.inject({ on: 'webhooks', kind: 'status', status: 500, times: 4 });
    await happen(settled);
    const one = async () => (await deliveries())[0];
    await until(async () => (await one())?.attemptsUsed === 1, 'the first attempt fails');
    const scope = ['--channel', 'webhook', '--tenant', 'default'] as const;
    await sluice(world, 'config', 'set', 'delivery.pausesMs', '9s,100,100', ...scope);
    const place = { channel: 'webhook', tenant: 'default' } as const;
    const pauses = () => node.platform.settings.now.read('delivery.pausesMs', place);
    await until(() => pauses().length === 3, 'it is known', 5_000);
    // The second attempt was planned before, by what counted then.
    const [failed] = await finished(world, 1, 20_000);
    expect(failed).toMatchObject({ status: 'failed', attemptsUsed: 4 });
    expect(failed?.attempts).toHaveLength(4);
    await sluice(world, 'config', 'unset', 'delivery.pausesMs', ...scope);
    await until(() => pauses().length === 7, 'it is taken back', 5_000);
    const docs = collection<DeliveryDoc>(node.platform.mongo.db, 'deliveries');
    expect(await docs.countDocuments({ status: 'failed' })).toBe(1);
  });
});
