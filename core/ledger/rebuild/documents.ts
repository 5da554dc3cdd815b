import type { HoldId, TransferId } from '../../kernel/ids.ts';
import type { EntryDoc, HoldDoc, HoldStatus, TransferDoc } from '../documents.ts';
import {
  type HoldHistory,
  type TransferHistory,
  decidedAtOf,
  leftOfHold,
} from './wallet-history.ts';

/** What an operation says of a hold that it has placed, and no entry does. */
export interface HoldTerms {
  readonly expiresAt?: Date;
  readonly managedBy?: string;
}

interface HoldFacts {
  readonly terms: HoldTerms;
  /** When the operation was accepted that released it last. */
  readonly releaseAcceptedAt: Date | undefined;
}

/** A hold as its wallet's entries and its operations have it. Pure. */
export function holdFrom(id: HoldId, history: HoldHistory, facts: HoldFacts): HoldDoc {
  const { placed, captured, released, last } = history;
  const { expiresAt, managedBy } = facts.terms;
  const createdAt = decidedAtOf(placed);
  return {
    _id: id,
    ...(placed.description !== undefined && { description: placed.description }),
    tenantId: placed.tenantId,
    operationId: placed.operationId,
    userId: placed.userId,
    currency: placed.currency,
    amount: placed.amount,
    captured,
    released,
    status: statusOf(history, facts),
    ...(managedBy !== undefined && { managedBy }),
    ...(expiresAt !== undefined && { expiresAt }),
    createdAt,
    updatedAt: last?.at ?? createdAt,
  };
}

function statusOf(history: HoldHistory, { terms, releaseAcceptedAt }: HoldFacts): HoldStatus {
  if (leftOfHold(history) !== 0n) return 'open';
  if (history.last?.kind === 'captured') return 'captured';
  const { expiresAt } = terms;
  const isLate =
    expiresAt !== undefined && releaseAcceptedAt !== undefined && expiresAt <= releaseAcceptedAt;
  return isLate ? 'expired' : 'released';
}

/** `arrived`: the other side of the payer's entry. Pure. */
export function transferFrom(
  id: TransferId,
  { paid, fee, reversedAmount, updatedAt }: TransferHistory,
  arrived: Pick<EntryDoc, 'userId'>,
): TransferDoc {
  const unlessFull = reversedAmount === 0n ? 'settled' : 'partially_reversed';
  return {
    _id: id,
    ...(paid.description !== undefined && { description: paid.description }),
    tenantId: paid.tenantId,
    operationId: paid.operationId,
    fromUserId: paid.userId,
    toUserId: arrived.userId,
    currency: paid.currency,
    amount: paid.amount,
    fee,
    status: reversedAmount === paid.amount ? 'reversed' : unlessFull,
    reversedAmount,
    createdAt: decidedAtOf(paid),
    updatedAt,
  };
}

/** The entry behind the payer's own: the payee's. */
export function arrivalOf({ operationId, leg }: EntryDoc): string {
  return `${operationId}.${String(leg + 1)}`;
}
