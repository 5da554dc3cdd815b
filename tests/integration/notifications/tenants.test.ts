import { describe, expect, it } from 'vitest';
import { collection } from '../../../core/infra/collections.ts';
import { newOperationId, newToken } from '../../../core/kernel/ids.ts';
import type { OutboxRow } from '../../../core/events/outbox.ts';
import { startHookServer } from '../../support/hook-server.ts';
import { type Notifying, PAID, openNotifying } from '../../support/notifying.ts';
import { until } from '../../support/wait.ts';
import { allOf } from '../../../core/kernel/every.ts';

/** As many settled transfers of a tenant. */
async function happenTo({ node }: Notifying, tenantId: string, count: number): Promise<void> {
  const now = new Date();
  const events = Array.from({ length: count }, () => {
    const operationId = newOperationId();
    return { id: `${operationId}.e0`, operationId, ...PAID };
  });
  const nextCheckAt = new Date(now.getTime() + 5_000);
  const row = { _id: `obx_${newToken()}_0`, tenantId, events, nextCheckAt, createdAt: now };
  await collection<OutboxRow>(node.platform.mongo.db, 'outbox').insertOne(row);
  await node.queues.publisher.publishEvents([row]);
}

describe('two tenants with webhooks on one host', () => {
  it.each([
    ['refuses', (path: string) => ({ status: path === '/a' ? 500 : 204 })],
    [
      'asks to be left alone',
      (path: string) =>
        path === '/a' ? { status: 429, headers: { 'retry-after': '60' } } : { status: 204 },
    ],
  ])('one that %s everything of the first slows nothing of the second', async (_how, answer) => {
    const hooks = await startHookServer(answer);
    const notifying = await openNotifying();
    const { endpoint, deliveries } = notifying;
    await endpoint('a', { tenantId: 'acme', url: `${hooks.url}/a` });
    await endpoint('b', { tenantId: 'bolt', url: `${hooks.url}/b` });
    await happenTo(notifying, 'acme', 30);
    await until(async () => {
      const waiting = await deliveries({ tenantId: 'acme', status: 'pending' });
      return waiting.length === 30 && allOf(waiting, ({ deferral }) => deferral !== undefined);
    }, 'all of the first are put off');
    await happenTo(notifying, 'bolt', 30);
    await until(() => hooks.calls('/b').length === 30, 'the second has everything');
    const sent = await deliveries({ tenantId: 'bolt' });
    expect(sent.filter(({ deferral }) => deferral !== undefined)).toEqual([]);
    expect(hooks.calls('/a').length).toBeLessThanOrEqual(30);
  });
});
