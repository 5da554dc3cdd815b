import type { Json } from '../../kernel/canonical.ts';
import { majorText } from '../../kernel/money.ts';
import type { HoldDoc, TransferDoc, UserDoc } from '../../ledger/documents.ts';
import type { OutboxEvent } from '../../events/outbox.ts';

export type TransferFacts = Pick<
  TransferDoc,
  '_id' | 'fromUserId' | 'toUserId' | 'currency' | 'amount' | 'fee' | 'description'
>;
export type HoldFacts = Pick<HoldDoc, '_id' | 'userId' | 'currency' | 'amount' | 'status'>;
export type UserFacts = Pick<
  UserDoc,
  | '_id'
  | 'tenantId'
  | 'userId'
  | 'displayName'
  | 'contacts'
  | 'notifications'
  | 'pushTargets'
  | 'quietHours'
>;

/** What the ledger knows of the events of a row, by id. */
export interface Facts {
  readonly transfers: ReadonlyMap<string, TransferFacts>;
  readonly holds: ReadonlyMap<string, HoldFacts>;
}

export interface Party {
  readonly userId: string;
  /** Ending of the template's name, where parties of one event are told different things. */
  readonly role?: 'sent' | 'received';
}

/** What an event is about: for templates, and the `data` of a webhook. */
export interface EventSubject {
  readonly data: Readonly<Record<string, Json>>;
  readonly parties: readonly Party[];
}

/** The ids that have to be looked up: of an event that names a thing but not whose it is. */
export function idsOf({ data = {} }: OutboxEvent): {
  readonly transferId?: string;
  readonly holdId?: string;
} {
  const { transferId, holdId, fromUserId, userId } = data;
  return {
    ...(transferId !== undefined && fromUserId === undefined && { transferId }),
    ...(holdId !== undefined && userId === undefined && { holdId }),
  };
}

/** The event's own data with what the ledger adds. Pure. */
export function subjectOf(event: OutboxEvent, facts: Facts): EventSubject {
  const { transferId, holdId } = idsOf(event);
  const transfer = transferId === undefined ? undefined : facts.transfers.get(transferId);
  if (transfer !== undefined) return ofTransfer(event, transfer);
  const hold = holdId === undefined ? undefined : facts.holds.get(holdId);
  if (hold !== undefined) return ofHold(event, hold);
  const data = withAmountText({ ...event.data });
  return { data, parties: partiesOf(event.data ?? {}) };
}

function partiesOf(data: Readonly<Record<string, string>>): readonly Party[] {
  const { fromUserId, toUserId, userId } = data;
  if (fromUserId === undefined || toUserId === undefined) {
    return userId === undefined ? [] : [{ userId }];
  }
  return [
    { userId: fromUserId, role: 'sent' },
    { userId: toUserId, role: 'received' },
  ];
}

function ofTransfer(event: OutboxEvent, transfer: TransferFacts): EventSubject {
  const { fromUserId, toUserId, currency, amount, fee, description } = transfer;
  const data = withAmountText({
    fromUserId,
    toUserId,
    currency,
    amount: amount.toString(),
    fee: fee.toString(),
    ...(description !== undefined && { description }),
    ...event.data, // of a reversal, the amount is its own
  });
  return { data, parties: partiesOf({ fromUserId, toUserId }) };
}

function ofHold(event: OutboxEvent, { userId, currency, amount }: HoldFacts): EventSubject {
  const data = withAmountText({ userId, currency, amount: amount.toString(), ...event.data });
  return { data, parties: [{ userId }] };
}

/** Amounts as people read them, beside the minor units. */
function withAmountText(data: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { amount, currency } = data;
  if (amount === undefined || currency === undefined) return data;
  return { ...data, amountText: majorText(amount, currency) };
}
