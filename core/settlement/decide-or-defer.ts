import type { LedgerState } from '../ledger/book.ts';
import type { LedgerTransaction } from '../ledger/ledger-store.ts';
import { isOlder, userOrderingKey } from '../operations/operation.ts';
import type { Elsewhere, SettleStore } from '../operations/settle-store.ts';
import { lapsedReads, withLapsed } from '../operations/want-of-money.ts';
import type { Logger } from '../telemetry/logger.ts';
import {
  type BatchDecisions,
  type BoundDoc,
  type Outcome,
  decideBatch,
  missingOwners,
} from './decide.ts';

interface WaitingDeps {
  readonly operations: SettleStore;
  readonly logger: Logger;
}

interface DecisionInput {
  readonly batch: readonly BoundDoc[];
  readonly loaded: LedgerState;
  readonly at: Date;
  readonly stripe: number;
}

/**
 * Decides, with what lapsed holds give back to those that want it, and puts off what was refused only
 * because the user or wallet that it needs is still being created by an older operation of another
 * line. Looked up in the same snapshot as the wallets, so that a creation is seen either as open or
 * as done.
 */
export async function decideOrDefer(
  deps: WaitingDeps,
  { batch, loaded, at, stripe }: DecisionInput,
  transaction: Pick<LedgerTransaction, 'session' | 'loadLapsed'>,
): Promise<BatchDecisions & { readonly waiting: readonly string[] }> {
  const onBug = (operation: BoundDoc['operation'], error: unknown): void => {
    deps.logger.error({ err: error, operationId: operation._id }, 'operation.decision.crashed');
  };
  let state = loaded;
  const looked = new Set<string>();
  const lines = new Set<string>();
  for (;;) {
    const rest = batch.filter(({ operation }) => !lines.has(operation.orderingKey));
    const decided = decideBatch(rest, { loaded: state, at, stripe, onBug });
    const lapsed = lapsedReads(decided.wants, state, looked);
    if (lapsed !== undefined) {
      state = withLapsed(state, await transaction.loadLapsed({ ...lapsed, stripe }));
      continue;
    }
    const wanting = rest.filter((_one, index) => isMissingOwner(decided.outcomes[index]));
    const waiting = await linesToDefer(deps, { batch: rest, wanting, loaded }, transaction.session);
    if (waiting.length === 0) {
      const late = batch.filter(({ operation }) => lines.has(operation.orderingKey));
      return { ...decided, waiting: late.map(({ operation }) => operation._id) };
    }
    // Without these lines others may want for what they would have created.
    for (const orderingKey of waiting) lines.add(orderingKey);
  }
}

function isMissingOwner(outcome: Outcome | undefined): boolean {
  const code = (outcome?.error ?? outcome?.wouldFail)?.code;
  return code === 'wallet_not_found' || code === 'user_not_found' || code === 'batch_item_rejected';
}

interface Wanting {
  readonly batch: readonly BoundDoc[];
  /** Those that were refused for want of a user or a wallet. */
  readonly wanting: readonly BoundDoc[];
  readonly loaded: LedgerState;
}

/** The lines of those whose missing user or wallet an older operation of another line may create. */
async function linesToDefer(
  deps: WaitingDeps,
  { batch, wanting, loaded }: Wanting,
  session: Parameters<SettleStore['finish']>[0],
): Promise<readonly string[]> {
  // What this very batch settles before it has been seen already.
  const inBatch = new Set(batch.map(({ operation }) => operation.orderingKey));
  const keysOf = (one: BoundDoc): readonly string[] =>
    missingOwners(one, loaded).map((userId) => userOrderingKey(one.operation.tenantId, userId));
  const wanted = wanting.map((one) => ({ operation: one.operation, keys: keysOf(one) }));
  const keys = [...new Set(wanted.flatMap((one) => one.keys))];
  if (keys.length === 0) return [];
  const here = keys.filter((orderingKey) => !inBatch.has(orderingKey));
  const oldest =
    here.length === 0 ? new Map<string, never>() : await deps.operations.oldestOpen(session, here);
  const elsewhere = await deps.operations.creatingElsewhere(session, keys);
  const seen = new Set<string>(batch.map(({ operation }) => operation._id));
  const creating = elsewhere.filter(({ _id }) => !seen.has(_id));
  const mayCreate = ({ line, creates = [] }: Elsewhere, key: string): boolean =>
    line === key || creates.includes(key);
  return wanted
    .filter(({ operation, keys: own }) =>
      own.some(
        (key) =>
          isAfter(operation, oldest.get(key)) ||
          creating.some((other) => mayCreate(other, key) && isAfter(operation, other)),
      ),
    )
    .map(({ operation }) => operation.orderingKey);
}

function isAfter(
  operation: BoundDoc['operation'],
  oldest: Parameters<typeof isOlder>[0] | undefined,
): boolean {
  return oldest !== undefined && isOlder(oldest, operation);
}
