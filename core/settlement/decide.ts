import type { Json } from '../kernel/canonical.ts';
import { type Failure, InvariantError } from '../kernel/errors.ts';
import { walletIdOf } from '../kernel/ids.ts';
import { formatMinor, parseMinor } from '../kernel/money.ts';
import { type Result, ok, refuse } from '../kernel/result.ts';
import { type Book, type Draft, createBook, laterOf, type LedgerState } from '../ledger/book.ts';
import { userDocId, type WalletDoc } from '../ledger/documents.ts';
import type { LedgerReads } from '../ledger/ledger-store.ts';
import { availableOf } from '../ledger/wallet.ts';
import type { BoundOperation, Registry } from '../operations/define.ts';
import { namedUsers } from '../events/event-users.ts';
import { type OperationDoc, acceptedAt } from '../operations/operation.ts';
import { turnOf } from '../events/outbox-rows.ts';
import type { OutboxEvent } from '../events/outbox.ts';
import type { OperationStatus } from '../operations/status.ts';
import { readsOf } from '../operations/touches.ts';
import { type Want, decideTwice, isForWantOfMoney } from '../operations/want-of-money.ts';
import { GONE, versionOf } from '../operations/versions.ts';

/** What one operation became. `result` is stored only where it does not follow from the input. */
export interface Outcome {
  readonly operation: OperationDoc;
  readonly status: OperationStatus;
  readonly result?: Json;
  readonly error?: Failure;
  /** Why a dry run would have been refused; it has succeeded itself. */
  readonly wouldFail?: Failure;
  /** When it ends, if that is later than its batch: not before it was accepted, or has posted. */
  readonly at?: Date;
}

export interface BoundDoc {
  readonly operation: OperationDoc;
  readonly bound: BoundOperation;
}

export interface BatchDecisions {
  readonly outcomes: readonly Outcome[];
  readonly events: ReadonlyMap<string, readonly OutboxEvent[]>;
  readonly book: Book;
  /** Refused for want of money: a second look may find some. */
  readonly wants: readonly Want[];
}

/**
 * By the version under which it was accepted. One that no code knows any more is a bug of whoever
 * dropped it, and is parked like any other, so that its line goes on.
 *
 * @throws InvariantError when it was accepted by newer code than this.
 */
export function bindOperation(registry: Registry, operation: OperationDoc): BoundDoc {
  const { type, typeVersion, input, partVersions = {} } = operation;
  const found = versionOf(registry, operation);
  switch (found.kind) {
    case 'known':
      return { operation, bound: found.definition.bind(input, partVersions) };
    case 'gone':
      return { operation, bound: GONE };
    case 'newer':
      throw new InvariantError('this code knows the type and version of the operation', {
        type,
        version: typeVersion,
      });
  }
}

/** Everything that the decisions of a batch will look at. */
export function batchReads(batch: readonly BoundDoc[], stripe: number): LedgerReads {
  const touched = batch.map(({ operation: { tenantId }, bound: { touches } }) => ({
    tenantId,
    touches,
  }));
  return readsOf(touched, stripe);
}

interface BatchContext {
  readonly loaded: LedgerState;
  readonly at: Date;
  readonly stripe: number;
  /** Told of every bug in a decision, which parks its operation and nothing else. */
  readonly onBug: (operation: OperationDoc, error: unknown) => void;
}

/** Decides a batch in order, in memory. Pure but for `onBug`. One refusal spoils no neighbour. */
export function decideBatch(batch: readonly BoundDoc[], context: BatchContext): BatchDecisions {
  const book = createBook(context.loaded);
  const outcomes: Outcome[] = [];
  const events = new Map<string, OutboxEvent[]>();
  const wants: Want[] = [];
  for (const { operation, bound } of batch) {
    const scope = {
      tenantId: operation.tenantId,
      operationId: operation._id,
      // By two clocks: what an operation does is never older than the operation.
      at: laterOf(context.at, operation.createdAt),
      acceptedAt: acceptedAt(operation),
      stripe: context.stripe,
      ...(operation.metadata !== undefined && { metadata: operation.metadata }),
    };
    const { outcome, draft } = decideOne({ operation, bound, scope, context, book });
    const at = draft.entries.reduce(
      (last, { createdAt }) => laterOf(last, createdAt),
      draft.scope.at,
    );
    outcomes.push(at > context.at ? { ...outcome, at } : outcome);
    const list = events.get(operation.tenantId) ?? [];
    events.set(operation.tenantId, list);
    list.push(...eventsOf(outcome, bound, draft));
    const failure = outcome.error ?? outcome.wouldFail;
    if (failure !== undefined && isForWantOfMoney(failure)) {
      wants.push({ tenantId: scope.tenantId, touches: bound.touches, at: scope.at });
    }
  }
  return { outcomes, events, book, wants };
}

interface Decision {
  readonly operation: OperationDoc;
  readonly bound: BoundOperation;
  readonly scope: Draft['scope'];
  readonly context: BatchContext;
  readonly book: Book;
}

/** Whatever is thrown on the way into the book is this operation's alone. */
function decideOne({ operation, bound, scope, context, book }: Decision): {
  readonly outcome: Outcome;
  readonly draft: Draft;
} {
  try {
    if (operation.deadline !== undefined && operation.deadline <= context.at) {
      const detail = `The deadline ${operation.deadline.toISOString()} has passed`;
      const error = { code: 'deadline_passed', detail } as const;
      return { outcome: { operation, status: 'expired', error }, draft: book.draft(scope) };
    }
    const { draft, decision } = decideTwice({
      tenantId: operation.tenantId,
      touches: bound.touches,
      open: () => book.draft(scope),
      decide: (trial, prepare) => {
        const seq = mainWalletOf(operation, bound, trial)?.seq;
        prepare();
        const allowed = checkPreconditions(operation, bound, { draft: trial, seq });
        return allowed.ok ? bound.decide(trial, operation._id) : allowed;
      },
    });
    if (operation.dryRun !== true && decision.ok) book.apply(draft);
    return { outcome: outcomeOf(operation, draft, decision), draft };
  } catch (error) {
    context.onBug(operation, error);
    const detail = 'The operation failed for a reason that is not its own; a human must look at it';
    const failure = { code: 'poison_operation', detail } as const;
    return {
      outcome: { operation, status: 'needs_attention', error: failure },
      draft: book.draft(scope),
    };
  }
}

function outcomeOf(
  operation: OperationDoc,
  draft: Draft,
  decision: Result<Json | undefined>,
): Outcome {
  if (operation.dryRun === true) return dryRunOutcome(operation, draft, decision);
  if (!decision.ok) return { operation, status: 'rejected', error: decision.failure };
  return decision.value === undefined
    ? { operation, status: 'succeeded' }
    : { operation, status: 'succeeded', result: decision.value };
}

/** What the preconditions of an operation are about, if it has any. */
function mainWalletOf(
  { preconditions }: OperationDoc,
  { mainWallet }: BoundOperation,
  draft: Draft,
): WalletDoc | undefined {
  if (preconditions === undefined || mainWallet === undefined) return undefined;
  return draft.wallet(mainWallet.userId, mainWallet.currency);
}

interface Seen {
  readonly draft: Draft;
  /** Of the wallet before anything was given back to it: the one that the client may know. */
  readonly seq: number | undefined;
}

function checkPreconditions(
  operation: OperationDoc,
  bound: BoundOperation,
  { draft, seq }: Seen,
): Result<undefined> {
  const { preconditions } = operation;
  if (preconditions === undefined || bound.mainWallet === undefined) return ok(undefined);
  const { userId, currency } = bound.mainWallet;
  const wallet = mainWalletOf(operation, bound, draft);
  if (wallet === undefined) {
    return refuse('wallet_not_found', `User ${userId} has no ${currency} wallet`);
  }
  const { ifAvailableAtLeast, ifWalletSeq } = preconditions;
  const available = availableOf(wallet);
  if (ifAvailableAtLeast !== undefined && available < parseMinor(ifAvailableAtLeast)) {
    return refuse(
      'precondition_available',
      `${formatMinor(available)} is available, ${ifAvailableAtLeast} was asked for`,
    );
  }
  if (ifWalletSeq !== undefined && seq !== ifWalletSeq) {
    return refuse('precondition_seq', `The wallet is at ${String(seq)}, not at ${ifWalletSeq}`);
  }
  return ok(undefined);
}

/** What would have happened, with nothing of it done. */
function dryRunOutcome(
  operation: OperationDoc,
  draft: Draft,
  decision: Result<Json | undefined>,
): Outcome {
  if (!decision.ok) {
    const { code, detail } = decision.failure;
    const result = { dryRun: true, would: 'rejected', error: { code, detail } };
    return { operation, status: 'succeeded', result, wouldFail: decision.failure };
  }
  const entries = draft.entries.map((entry) => ({
    userId: entry.userId,
    currency: entry.currency,
    balanceType: entry.balanceType,
    direction: entry.direction,
    amount: formatMinor(entry.amount),
    balanceAfter: formatMinor(entry.balanceAfter),
  }));
  return { operation, status: 'succeeded', result: { dryRun: true, would: 'succeeded', entries } };
}

function eventsOf(outcome: Outcome, bound: BoundOperation, draft: Draft): OutboxEvent[] {
  const { operation, status, error } = outcome;
  const happened = status === 'succeeded' && operation.dryRun !== true ? draft.events : [];
  const data = {
    type: operation.type,
    ...concerned(bound, draft),
    ...namedUsers(operation.input),
    ...(error !== undefined && { code: error.code }),
  };
  const named = [{ name: `operation.${status}`, data }, ...happened];
  // Nearly always these are all of its events.
  const mayHaveOthers = operation.epoch > 0 || status === 'needs_attention';
  return named.map(({ name, data: said }, index) => ({
    id: eventIdOf(operation, index),
    name,
    operationId: operation._id,
    data: said,
    ...(mayHaveOthers && { turn: turnOf(operation) }),
  }));
}

/** One that was put before a human and let in again tells its later outcome under other ids. */
function eventIdOf({ _id, epoch }: OperationDoc, index: number): string {
  return epoch === 0 ? `${_id}.e${index}` : `${_id}.a${epoch}.e${index}`;
}

/** Work on one hold or transfer names it in its input, and not the users behind it. */
function concerned({ touches }: BoundOperation, draft: Draft): Readonly<Record<string, string>> {
  const [holdId, otherHold] = touches.holds;
  const [transferId, otherTransfer] = touches.transfers;
  if (otherHold !== undefined || otherTransfer !== undefined) return {}; // a batch: its events do
  const found =
    holdId !== undefined
      ? draft.hold(holdId)
      : transferId !== undefined
        ? draft.transfer(transferId)
        : undefined;
  return found?.tenantId === draft.scope.tenantId ? namedUsers(found) : {};
}

/** Users and wallets whose absence may only mean that their creation is still under way. */
export function missingOwners(
  { operation, bound }: BoundDoc,
  loaded: LedgerState,
): readonly string[] {
  const missing: string[] = [];
  for (const userId of bound.touches.users) {
    if (!loaded.users.has(userDocId(operation.tenantId, userId))) missing.push(userId);
  }
  for (const { userId, currency } of bound.touches.wallets) {
    const id = walletIdOf(operation.tenantId, userId, currency);
    if (!loaded.wallets.has(id)) missing.push(userId);
  }
  return [...new Set(missing)];
}

/** The ids that an operation's transaction may write, for keeping concurrent batches apart. */
export function resourcesOf({ operation, bound }: BoundDoc): readonly string[] {
  const { tenantId } = operation;
  const { touches } = bound;
  return [
    ...touches.wallets.map((ref) => walletIdOf(tenantId, ref.userId, ref.currency)),
    ...touches.users.map((userId) => userDocId(tenantId, userId)),
    ...touches.walletsOf.map((userId) => userDocId(tenantId, userId)),
    ...touches.transfers,
    ...touches.holds,
  ];
}
