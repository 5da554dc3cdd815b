import { describe, expect, expectTypeOf, it } from 'vitest';
import type * as ledger from '../../../api/views/ledger.ts';
import type * as notification from '../../../api/views/notification.ts';
import type * as operation from '../../../api/views/operation.ts';
import type { timelineView } from '../../../api/views/timeline.ts';
import type * as client from '../../../client/src/index.ts';
import { createClient } from '../../../client/src/index.ts';
import type { EVENTS, EventData as ServerEventData } from '../../../core/events/catalog.ts';
import type { OperationType } from '../../../core/operation-types/registry.ts';
import type { OperationStatus } from '../../../core/operations/status.ts';
import type { DeliveryStatus } from '../../../core/notifications/delivery/delivery.ts';
import type { Channel } from '../../../core/notifications/ports.ts';
import { says, startScripted } from '../../support/client/scripted-server.ts';

/** Held by the type check: what is wrong here does not compile. */
describe('the types of the client', () => {
  it('are those of what the API shows', () => {
    expectTypeOf<ReturnType<typeof ledger.userView>>().toExtend<client.User>();
    expectTypeOf<ReturnType<typeof ledger.walletView>>().toExtend<client.Wallet>();
    expectTypeOf<ReturnType<typeof ledger.balanceView>>().toExtend<client.Balance>();
    expectTypeOf<ReturnType<typeof ledger.balanceAtView>>().toExtend<client.BalanceAt>();
    expectTypeOf<ReturnType<typeof ledger.systemWalletView>>().toExtend<client.SystemWallet>();
    expectTypeOf<ReturnType<typeof ledger.entryView>>().toExtend<client.Entry>();
    expectTypeOf<ReturnType<typeof ledger.transferView>>().toExtend<client.Transfer>();
    expectTypeOf<ReturnType<typeof ledger.holdView>>().toExtend<client.Hold>();
    expectTypeOf<ReturnType<typeof operation.operationView>>().toExtend<client.Operation>();
    expectTypeOf<ReturnType<typeof operation.operationListView>>().toExtend<client.Operation>();
    expectTypeOf<ReturnType<typeof operation.operationBrief>>().toExtend<client.OperationBrief>();
    expectTypeOf<ReturnType<typeof timelineView>>().toExtend<
      Omit<client.Timeline, 'deliveries' | 'stream'>
    >();
    expectTypeOf<ReturnType<typeof notification.deliveryBrief>>().toExtend<client.DeliveryBrief>();
    expectTypeOf<ReturnType<typeof notification.deliveryListView>>().toExtend<client.Delivery>();
    expectTypeOf<ReturnType<typeof notification.deliveryView>>().toExtend<client.DeliveryDetail>();
    expectTypeOf<ReturnType<typeof notification.endpointView>>().toExtend<client.WebhookEndpoint>();
    expectTypeOf<ReturnType<typeof notification.templateView>>().toExtend<client.Template>();
    expectTypeOf<ReturnType<typeof notification.suppressionView>>().toExtend<client.Suppression>();
  });
  it('name every status, channel, type and event, and no other', () => {
    expectTypeOf<client.OperationStatus>().toEqualTypeOf<OperationStatus>();
    expectTypeOf<client.DeliveryStatus>().toEqualTypeOf<DeliveryStatus>();
    expectTypeOf<client.Channel>().toEqualTypeOf<Channel>();
    expectTypeOf<client.OperationType>().toEqualTypeOf<OperationType>();
    type Server = { readonly [N in keyof typeof EVENTS]: ServerEventData<N> };
    expectTypeOf<client.EventData>().toExtend<Server>();
    expectTypeOf<Server>().toExtend<Omit<client.EventData, 'webhook-endpoint.test'>>();
  });
  it('refuse what the API would refuse', async () => {
    const server = await startScripted(says.accepted);
    const { submit, transfers, operations } = createClient({ baseUrl: server.url, apiKey: 'slk' });
    const transfer = { fromUserId: 'ada', toUserId: 'bob', currency: 'EUR', amount: '5' };
    await submit('transfer', transfer);
    // @ts-expect-error -- a field that a transfer does not have
    await submit('transfer', { ...transfer, walletId: 'wal_1' });
    // @ts-expect-error -- a field that it must have
    await submit('transfer', { fromUserId: 'ada', toUserId: 'bob', currency: 'EUR' });
    // @ts-expect-error -- no such type
    await submit('transfers', transfer);
    // @ts-expect-error -- the input of another type
    await submit('hold.release', transfer);
    // @ts-expect-error -- a batch holds no batch
    await submit('batch', { operations: [{ type: 'batch', input: { operations: [] } }] });
    // @ts-expect-error -- an amount is no object
    await transfers.create({ ...transfer, amount: { minor: 5 } });
    // @ts-expect-error -- no such signal
    await operations.signal('op_1', 'risk', { approve: true });
    // @ts-expect-error -- other data than it takes
    await operations.signal('op_1', 'risk-decision', { approved: true });
    expect(server.seen.length).toBe(9);
  });
  it('tell events and outcomes apart', () => {
    const dataOf = (event: client.SluiceEvent | client.WebhookEvent): string =>
      event.type === 'hold.placed' ? event.data.holdId : event.type;
    expect(dataOf({ ...EVENT, type: 'hold.placed', data: HOLD })).toBe('hld_1');
    const reasonOf = (outcome: client.Outcome): string =>
      outcome.outcome === 'waiting' ? outcome.waitingFor.signal : outcome.operation.status;
    expectTypeOf(reasonOf).returns.toBeString();
  });
});

const EVENT = { id: 'op_1.e1', timestamp: '2026-09-21T00:00:00.000Z' };
const HOLD = { holdId: 'hld_1', userId: 'ada', currency: 'EUR', amount: '5' };
