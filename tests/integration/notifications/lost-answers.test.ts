import { describe, expect, it, onTestFinished } from 'vitest';
import { collection } from '../../../core/infra/collections.ts';
import { newOperationId } from '../../../core/kernel/ids.ts';
import { createDeliveryJournal } from '../../../core/notifications/delivery/delivery-journal.ts';
import { createDeliveryStore } from '../../../core/notifications/delivery/delivery-store.ts';
import { type DeliveryDoc, deliveryIdOf } from '../../../core/notifications/delivery/delivery.ts';
import { type TcpProxy, startTcpProxy } from '../../support/faults/tcp-proxy.ts';
import { TENANT, openWorld } from '../../support/platform.ts';

function pendingSms(): DeliveryDoc {
  const operationId = newOperationId();
  const now = new Date();
  return {
    _id: deliveryIdOf(`${operationId}.e0`, 'sms', 'ann'),
    ...{ tenantId: TENANT, channel: 'sms', status: 'pending', operationId, category: 'payments' },
    event: { id: `${operationId}.e0`, name: 'transfer.settled', at: now },
    ...{ address: '+4915112345678', template: 'x', data: {}, seq: 1 },
    ...{ attempts: [], attemptsUsed: 0, expiresAt: new Date(now.getTime() + 60_000) },
    ...{ nextCheckAt: now, createdAt: now },
  };
}

async function openJournal() {
  const { node, open, database } = await openWorld();
  const [host] = new URL(database.mongoUrl).host.split(',');
  const proxy = await startTcpProxy({ port: Number(new URL(`http://${String(host)}`).port) });
  onTestFinished(() => proxy.close());
  const url = `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`;
  const { platform, queues } = await open({ MONGO_URL: url });
  const { publisher } = queues;
  const deliveries = createDeliveryStore(platform.mongo.db);
  const journal = createDeliveryJournal({ ...platform, deliveries, publisher, leaseMs: 30_000 });
  const stored = collection<DeliveryDoc>(node.platform.mongo.db, 'deliveries');
  return { proxy, deliveries, journal, stored };
}

/** Commands on the wire, by their first field. */
const UPDATE = '\x02update\0';
const INSERT = '\x02insert\0';

/** The first try of the driver and its retry. */
const BOTH = 2;

const loseBoth = (proxy: TcpProxy, command: string): void => {
  proxy.cutAt(command, BOTH, 'after');
};

describe('a delivery whose journal gets no answer', () => {
  it('is claimed all the same, and neither interrupted nor uncertain without having left', async () => {
    const { proxy, journal, deliveries, stored } = await openJournal();
    const sms = pendingSms();
    await deliveries.insert([sms]);
    loseBoth(proxy, UPDATE);
    const { owner } = (await journal.claim(sms._id)) ?? {};
    expect(owner).toBeDefined();
    expect(await stored.findOne({ _id: sms._id })).toMatchObject({ status: 'sending', owner });
  });

  it('ends as what became of it', async () => {
    const { proxy, journal, deliveries, stored } = await openJournal();
    const sms = pendingSms();
    await deliveries.insert([sms]);
    const { owner } = (await journal.claim(sms._id)) ?? {};
    expect(owner).toBeDefined();
    loseBoth(proxy, UPDATE);
    const change = { kind: 'final', status: 'sent', attempts: [], used: 1 } as const;
    await journal.write({ delivery: sms, ...(owner !== undefined && { owner }), change });
    expect(await stored.findOne({ _id: sms._id })).toMatchObject({ status: 'sent' });
  });

  it('is never taken for stored when the insert did not arrive', async () => {
    const { proxy, deliveries, stored } = await openJournal();
    const [known, fresh] = [pendingSms(), pendingSms()];
    await deliveries.insert([known]);
    proxy.cutAt(INSERT, BOTH);
    await expect(deliveries.insert([known, fresh])).rejects.toThrow();
    expect(await stored.countDocuments()).toBe(1);
    expect(await deliveries.insert([known, fresh])).toEqual([fresh]);
  });
});
