import { OPERATIONS, type AtomicType } from '../../core/operation-types/registry.ts';
import type { Endpoint } from '../http/endpoint.ts';

const EUR = { currency: 'EUR' } as const;
const TRANSFER = 'trf_019a3b5c7d8e7f009a3b5c7d8e7f0011';
const HOLD = 'hld_019a3b5c7d8e7f009a3b5c7d8e7f0012';

/** An input for every atomic type: a new type does not compile without one. Others bring their own. */
const INPUTS = {
  'user.create': { userId: 'ada', displayName: 'Ada', wallets: [EUR] },
  'user.update': { userId: 'ada', contacts: { email: 'ada@example.org' } },
  'wallet.open': { userId: 'ada', currency: 'USD' },
  'wallet.update': { userId: 'ada', ...EUR, overdraftLimit: '5000' },
  'wallet.credit': { userId: 'ada', ...EUR, amount: '10000', description: 'Cash at the desk' },
  'wallet.debit': { userId: 'ada', ...EUR, amount: '2500' },
  transfer: { fromUserId: 'ada', toUserId: 'bob', ...EUR, amount: '1250', description: 'Lunch' },
  'transfer.reverse': { transferId: TRANSFER, amount: '250' },
  'hold.place': { userId: 'ada', ...EUR, amount: '4000' },
  'hold.capture': { holdId: HOLD, amount: '3000', toUserId: 'bob' },
  'hold.release': { holdId: HOLD },
  'bonus.award': { userId: 'ada', ...EUR, amount: '500' },
  'bonus.convert': { userId: 'ada', ...EUR, amount: '500' },
  batch: {
    operations: [
      { type: 'wallet.credit', input: { userId: 'ada', ...EUR, amount: '1000' } },
      {
        type: 'transfer',
        input: { fromUserId: 'ada', toUserId: 'bob', ...EUR, amount: '1000' },
      },
    ],
  },
} as const satisfies Record<AtomicType, object>;

const BY_TYPE: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ...Object.entries(INPUTS),
  ...Object.values(OPERATIONS).flatMap((one): [string, unknown][] =>
    one.example === undefined ? [] : [[one.type, one.example('ada')]],
  ),
]);

type Examples = Readonly<Record<string, { readonly summary?: string; readonly value: unknown }>>;

const EVERY_TYPE: Examples = Object.fromEntries(
  [...BY_TYPE].map(([type, input]) => [type, { value: { type, input } }]),
);

/** Of the other endpoints with a body, by their ids. */
const OTHERS: Readonly<Record<string, unknown>> = {
  postOperationsBulk: [...BY_TYPE]
    .slice(0, 2)
    .map(([type, input], index) => ({ idempotencyKey: `import-${index + 1}`, type, input })),
  postOperationsIdSignalsName: { approvedBy: 'eve' },
  postOperationsIdRetry: { note: 'The provider confirmed that nothing was paid', assume: 'absent' },
  postOperationsIdResolve: { note: 'Paid out by hand', status: 'succeeded' },
  postDeliveriesReplay: {
    filter: { status: 'failed', channel: 'webhook', createdAfter: '2026-03-01T00:00:00Z' },
    dryRun: true,
  },
  postWebhookEndpoints: { url: 'https://example.org/hooks/sluice', events: ['transfer.*'] },
  patchWebhookEndpointsId: { status: 'disabled' },
  postKeys: { name: 'shop', scopes: ['operations:write:transfer', 'ledger:read'] },
  postKeysIdRotate: { graceSeconds: 3_600 },
  patchTenantsId: {
    status: 'active',
    plan: { write: { tenant: { quota: 1_000, windowSeconds: 1 } } },
  },
  postTemplates: {
    ...{ name: 'transfer.settled.received', channel: 'email', locale: 'en' },
    ...{ subject: 'You received {{amountText}}', text: '{{fromUserId}} sent {{amountText}}.' },
  },
  postTemplatesPreview: {
    template: { text: '{{fromUserId}} sent {{amountText}}.' },
    data: { fromUserId: 'ada', amountText: '12.50 EUR' },
  },
  postSuppressions: { channel: 'email', address: 'gone@example.org', reason: 'Asked us to stop' },
  askGraphql: { query: '{ __typename }' },
  putNotificationRules: { event: 'hold.placed', channels: ['push'] },
  putSettingsName: { value: 5_000, provider: 'http', reason: 'They are slow today' },
  putSettings: {
    set: { 'payment.retryBaseMs': 1_000, 'payment.retryCapMs': 300_000 },
    reason: 'Be patient',
  },
  postSettingsRollback: { toVersion: 3, reason: 'It was better before' },
  postPauses: { type: 'withdrawal', reason: 'The bank has asked us to stop' },
  postPausesIdResume: { reason: 'They are back', perSecond: 50 },
};

/** What may be sent to an endpoint; undefined: it has no body. */
export function requestExamples({
  id,
  alias,
}: Pick<Endpoint, 'id' | 'alias'>): Examples | undefined {
  if (id === 'postOperations') return EVERY_TYPE;
  if (alias !== undefined) return { [alias.type]: { value: aliasExample(alias) } };
  return Object.hasOwn(OTHERS, id) ? { example: { value: OTHERS[id] } } : undefined;
}

/** Without what the path states. */
function aliasExample({ type, idField }: NonNullable<Endpoint['alias']>): unknown {
  const input: unknown = BY_TYPE.get(type);
  const fields = typeof input === 'object' && input !== null ? Object.entries(input) : [];
  return Object.fromEntries(fields.filter(([name]) => name !== idField));
}
