import { z } from 'zod';

/**
 * Every event there is, one row each: what has happened, and the data that is told with it. Webhooks,
 * rules, filters and the reference follow from the names; `draft.emit` takes no other.
 */
export interface EventSpec {
  readonly summary: string;
  /** Of what is recorded. Texts only: amounts are minor units, as everywhere. */
  readonly data: z.ZodType<Readonly<Record<string, string>>>;
}

const text = z.string();
const amount = text.regex(/^\d+$/);
const money = { currency: text, amount };
const parties = { fromUserId: text, toUserId: text };
const user = { userId: text };

const transfer = z.strictObject({ transferId: text, ...parties, ...money });
const payment = z.strictObject({ ...user, ...money });
const hold = z.strictObject({ holdId: text, ...user, ...money });
const wallet = z.strictObject({ ...user, currency: text });
const person = z.strictObject(user);
/** What an operation came to: its type, whom it names, and the code of what failed. */
const outcome = z.strictObject({
  type: text,
  userId: text.exactOptional(),
  fromUserId: text.exactOptional(),
  toUserId: text.exactOptional(),
  code: text.exactOptional(),
});

export const EVENTS = {
  'transfer.settled': { summary: 'Money went from one user to another', data: transfer },
  'transfer.reversed': { summary: 'A transfer, or a part of it, went back', data: transfer },
  'deposit.settled': { summary: 'Money came in through a payment provider', data: payment },
  'withdrawal.settled': { summary: 'Money went out through a payment provider', data: payment },
  'hold.placed': { summary: 'Funds were set aside', data: hold },
  'hold.captured': { summary: 'Funds that were set aside were taken', data: hold },
  'hold.released': { summary: 'Funds that were set aside were given back', data: hold },
  'hold.expired': { summary: 'A hold ran out, and its funds were given back', data: hold },
  'bonus.awarded': { summary: 'A user was given a bonus', data: payment },
  'user.created': { summary: 'A user was created', data: person },
  'user.blocked': { summary: 'A user can no longer pay or be paid', data: person },
  'user.unblocked': { summary: 'A blocked user can pay and be paid again', data: person },
  'wallet.frozen': { summary: 'A wallet can no longer pay or be paid', data: wallet },
  'wallet.activated': { summary: 'A wallet that was frozen or closed works again', data: wallet },
  'wallet.closed': { summary: 'A wallet was closed', data: wallet },
  'tenant.provisioned': {
    summary: 'A tenant was set up and can work',
    data: z.strictObject({ tenant: text }),
  },
  'notification.requested': {
    summary: 'A client asked for messages to be sent',
    data: z.strictObject({ userId: text.exactOptional() }),
  },
  'webhook-endpoint.disabled': {
    summary: 'An endpoint failed for too long and gets nothing more; the others are told',
    data: z.strictObject({ endpointId: text, reason: text }),
  },
  'ledger.drift': {
    summary: 'A wallet, hold or transfer is not what the log says, or the log contradicts itself',
    data: z.strictObject({ kind: text, id: text, detail: text }),
  },
  'operation.succeeded': { summary: 'An operation has succeeded', data: outcome },
  'operation.rejected': { summary: 'An operation was rejected by a rule', data: outcome },
  'operation.compensated': { summary: 'An operation failed and was taken back', data: outcome },
  'operation.canceled': { summary: 'An operation was canceled', data: outcome },
  'operation.expired': { summary: 'An operation was not done in time', data: outcome },
  'operation.needs_attention': { summary: 'An operation waits for a human', data: outcome },
} as const satisfies Record<string, EventSpec>;

export type EventName = keyof typeof EVENTS;

/** The data of an event. */
export type EventData<N extends EventName> = N extends EventName
  ? Readonly<z.infer<(typeof EVENTS)[N]['data']>>
  : never;

export const EVENT_NAMES: readonly string[] = Object.keys(EVENTS).toSorted();

/** Sent on request to one endpoint alone, so that none waits for it. */
export const TEST_EVENT = 'webhook-endpoint.test';
