import type { Db } from 'mongodb';
import { systemClock } from '../../../core/kernel/clock.ts';
import { timeKeyOf } from '../../../core/kernel/time-order.ts';
import { collection } from '../../../core/infra/collections.ts';
import { createDeliveryWaitingCounts } from '../../../core/notifications/delivery/delivery-counts-store.ts';
import { sampleDeliveries } from '../../../core/notifications/delivery/delivery-sample-store.ts';
import { createDeliveryRecoveryStore } from '../../../core/notifications/delivery/delivery-recovery-store.ts';
import {
  type DeliveryFilter,
  createDeliveryReads,
} from '../../../core/notifications/delivery/delivery-reads-store.ts';
import { createDeliveryStore } from '../../../core/notifications/delivery/delivery-store.ts';
import {
  DELIVERY_STATUSES,
  type DeliveryDoc,
} from '../../../core/notifications/delivery/delivery.ts';
import { createFactsStore } from '../../../core/notifications/routing/facts-store.ts';
import { POLICIES, fixedPolicies } from '../../../core/notifications/policies.ts';
import { CHANNELS } from '../../../core/notifications/ports.ts';
import { createRepeatStore } from '../../../core/notifications/delivery/repeat-store.ts';
import { createRuleStore } from '../../../core/notifications/routing/rule-store.ts';
import { createSuppressionStore } from '../../../core/notifications/suppressions/suppression-store.ts';
import { createTemplateStore } from '../../../core/notifications/templates/template-store.ts';
import type { WebhookEndpointDoc } from '../../../core/notifications/webhooks/webhook-endpoint.ts';
import {
  createEndpointHealthStore,
  createEndpointStore,
} from '../../../core/notifications/webhooks/webhook-endpoint-store.ts';
import { TENANT } from '../platform.ts';
import { FUTURE, PAST, delivery } from './piles.ts';
import type { Call } from './every-query.ts';

const page = { limit: 5 };

export function notificationCalls(db: Db): readonly Call[] {
  return [
    ...deliveryCalls(db),
    ...listCalls(db),
    ...factCalls(db),
    ...textCalls(db),
    ...endpointCalls(db),
  ];
}

async function some(db: Db, fields: object): Promise<readonly [DeliveryDoc, ...DeliveryDoc[]]> {
  const docs = [0, 1, 2].map(() => delivery(fields) as unknown as DeliveryDoc);
  await collection<DeliveryDoc>(db, 'deliveries').insertMany([...docs]);
  const [one, ...others] = docs;
  if (one === undefined) throw new Error('there is none');
  return [one, ...others];
}

function deliveryCalls(db: Db): readonly Call[] {
  const store = createDeliveryStore(db);
  const recovery = createDeliveryRecoveryStore(db);
  const item = { eventId: 'evt_1', name: 'x', data: {} };
  const idsOf = (list: readonly DeliveryDoc[]) => list.map(({ _id }) => _id);
  const attempts = { attempts: [], used: 0 } as const;
  return [
    async () => {
      const digest = delivery({}) as unknown as DeliveryDoc;
      await store.gather(digest, item);
      await store.gather(digest, item); // it has the event: the other ways are gone through
    },
    async () => store.look(idsOf(await some(db, {}))),
    async () => {
      const [one] = await some(db, { status: 'sending' });
      await store.claim({ ids: [one._id, ...idsOf(await some(db, {}))], owner: 'w', leaseMs: 1 });
    },
    async () => {
      const [[one], [other]] = [await some(db, {}), await some(db, {})];
      await store.write([
        { id: one._id, change: { kind: 'final', status: 'sent', ...attempts } },
        { id: other._id, change: { kind: 'pending', delayMs: 1, ...attempts } },
      ]);
    },
    async () => {
      // Of claims that are lost: by id and owner, and then late.
      const [one, two] = [...(await some(db, { status: 'sending', owner: 'other' }))];
      const change = { kind: 'final', status: 'sent', ...attempts } as const;
      const lost = [one, two].flatMap((doc) => (doc === undefined ? [] : [doc._id]));
      await store.write(lost.map((id, index) => ({ id, owner: `w${index}`, change })));
    },
    async () => {
      await some(db, { nextCheckAt: PAST });
      await recovery.findOverdue('email', new Date(), 5);
      const [after] = await some(db, { nextCheckAt: PAST });
      const between = { from: PAST, by: new Date() };
      await recovery.findNews('email', { ...between, after: undefined }, 5);
      await recovery.findNews('email', { ...between, after }, 5);
      await recovery.findAbandoned(new Date(), 5);
      await recovery.dueOf(idsOf(await some(db, {})));
    },
    () => createDeliveryWaitingCounts(db, systemClock)(),
    () => sampleDeliveries(db, 50),
    async () => recovery.putOff(await some(db, {}), FUTURE),
    async () => recovery.redispatch(await some(db, {}), FUTURE),
  ];
}

const FILTERS: readonly DeliveryFilter[] = [
  {},
  ...DELIVERY_STATUSES.map((status) => ({ status })),
  ...CHANNELS.map((channel) => ({ channel })),
  { userId: 'cold' },
  { endpointId: 'whk_none' },
  { operationId: `op_${'0'.repeat(32)}` },
  { createdAfter: FUTURE },
  { createdBefore: PAST },
  { createdAfter: PAST, createdBefore: new Date(PAST.getTime() + 1) },
  { status: 'failed', createdAfter: FUTURE },
  { userId: 'hot', createdAfter: FUTURE },
];

function listCalls(db: Db): readonly Call[] {
  const reads = createDeliveryReads(db, { tenantId: TENANT, policies: fixedPolicies(POLICIES) });
  return [
    async () => reads.find((await some(db, {}))[0]._id),
    ...FILTERS.map((filter) => () => reads.list(filter, page)),
    ...FILTERS.map((filter): Call => async () => {
      const [last] = await some(db, {});
      await reads.list(filter, { ...page, after: timeKeyOf(last) });
    }),
    () => reads.count({ status: 'failed' }, 5),
    async () => {
      const [one] = await some(db, { status: 'failed' });
      await reads.rearm([one._id], 'token');
    },
  ];
}

function factCalls(db: Db): readonly Call[] {
  const facts = createFactsStore(db);
  return [
    () => facts.transfers(['trf_default-1']),
    () => facts.holds(['hld_default1']),
    () => facts.users([`${TENANT}/ann`]),
    () => facts.requests([`op_${'0'.repeat(32)}`]),
  ];
}

function textCalls(db: Db): readonly Call[] {
  const rules = createRuleStore(db);
  const suppressions = createSuppressionStore(db);
  const templates = createTemplateStore(db);
  const repeats = createRepeatStore(db, TENANT);
  const key = { tenantId: TENANT, name: 'x', channel: 'email', locale: 'en' } as const;
  const entry = { channel: 'email', address: 'a', reason: 'mine', createdAt: PAST } as const;
  const mine = { ..._id('sup_mine'), tenantId: TENANT, ...entry };
  const times = { createdAfter: PAST, createdBefore: FUTURE };
  return [
    () => rules.ofTenant(TENANT),
    () => rules.put({ tenantId: TENANT, event: 'transfer.settled', channels: [] }),
    () => rules.remove(TENANT, 'transfer.settled'),
    () => suppressions.find(['sup_mine']),
    () => suppressions.add(mine),
    () => suppressions.removeMany(TENANT, { reason: 'mine' }, 5),
    () => suppressions.removeMany(TENANT, { reason: 'gone', channel: 'sms', ...times }, 5),
    () => suppressions.remove(TENANT, 'sup_mine'),
    () => suppressions.list(TENANT, page),
    () => suppressions.list(TENANT, { ...page, after: `${FUTURE.getTime()}/sup_f` }),
    () => templates.add(key, { text: 'x' }, { at: PAST, repeatToken: 't' }),
    () => templates.newest(key, ['en', 'de']),
    () => templates.findById(TENANT, 'tpl_default-1'),
    () => templates.list(TENANT, {}, page),
    () => templates.list(TENANT, { name: 'x' }, page),
    () => templates.list(TENANT, { name: 'x' }, { ...page, after: 'tpl_0' }),
    async () => {
      const { token } = await repeats.open({ kind: 'replay', key: 'k', request: 'r', now: PAST });
      await repeats.close(token, { matched: 0, replayed: 0, isComplete: true });
    },
  ];
}

function _id(id: string): { readonly _id: string } {
  return { _id: id };
}

function endpointCalls(db: Db): readonly Call[] {
  const store = createEndpointStore(db, 'mine');
  const health = createEndpointHealthStore(db);
  const endpoint: WebhookEndpointDoc = {
    ...{ _id: 'whk_mine', tenantId: 'mine', url: 'https://shop.test/', events: ['*'] },
    ...{ status: 'enabled', secrets: [{ secret: 's', createdAt: PAST }], requestHash: '' },
    ...{ slot: 1, createdAt: PAST, updatedAt: PAST },
  };
  const notice = {
    _id: 'obx_mine',
    tenantId: 'mine',
    events: [],
    nextCheckAt: PAST,
    createdAt: PAST,
  };
  return [
    async () => {
      await store.insert(endpoint);
      await store.insert(endpoint);
    },
    () => store.find('whk_mine'),
    () => store.freeSlot(),
    () => store.list(page),
    () => store.list({ ...page, after: 'whk_n' }),
    () => store.change('whk_mine', { description: 'x' }, false),
    () => store.rotate(endpoint, { description: 'y' }),
    () => health.findMany(['whk_mine']),
    () => health.ofTenant('mine'),
    () => health.markHealthy(endpoint),
    () => health.markFailing(endpoint),
    () => health.disable(endpoint, 'why', notice),
    () => store.remove('whk_mine'),
  ];
}
