import { type Book, type LedgerState, createBook, laterOf } from '../ledger/book.ts';
import { LAPSED_PER_POSTING } from '../ledger/documents.ts';
import type { LedgerReads } from '../ledger/ledger-store.ts';
import { decideFuse } from './fuse.ts';
import type { JournalWrite } from './journal-store.ts';
import type { Commit, JournalChange, JournalRef } from './journal.ts';
import { leavesLine } from '../operations/line.ts';
import { acceptedAt } from '../operations/operation.ts';
import { turnOf } from '../events/outbox-rows.ts';
import type { OutboxEvent } from '../events/outbox.ts';
import { readsOf } from '../operations/touches.ts';
import { type Want, decideTwice, isForWantOfMoney } from '../operations/want-of-money.ts';

export interface JournalBatch {
  readonly book: Book;
  readonly writes: readonly JournalWrite[];
  /** Refused for want of money: a second look may find some. */
  readonly wants: readonly Want[];
}

/** Everything that the ledger steps among some commits look at. */
export function journalReads(commits: readonly Commit[], stripe: number): LedgerReads {
  const ledger = commits.flatMap((commit) =>
    'fuse' in commit
      ? commit.fuse.parts.flatMap((part) =>
          part.kind === 'post'
            ? [{ tenantId: commit.ref.operation.tenantId, touches: part.ledger.touches }]
            : [],
        )
      : [],
  );
  return readsOf(ledger, stripe);
}

interface JournalContext {
  readonly stripe: number;
  /** Read inside the transaction: the stamps of steps that waited for it may be older. */
  readonly notBefore: Date;
}

/** Decides the ledger steps of a batch one after another on one book. Pure. */
export function decideJournalBatch(
  commits: readonly Commit[],
  loaded: LedgerState,
  { stripe, notBefore }: JournalContext,
): JournalBatch {
  const book = createBook(loaded);
  const wants: Want[] = [];
  const writes = commits.map((commit): JournalWrite => {
    const { ref, guard } = commit;
    if (!('fuse' in commit)) return { ref, guard, change: withLine(ref, commit.change) };
    const { tenantId, _id, metadata } = ref.operation;
    const { change, hasPosted } = decideFuse(commit.fuse, (ledger, state) => {
      const scope = {
        tenantId,
        operationId: _id,
        at: laterOf(ledger.at, notBefore),
        acceptedAt: acceptedAt(ref.operation),
        stripe,
        ...(metadata !== undefined && { metadata }),
      };
      const { touches, legOffset } = ledger;
      const { draft, decision } = decideTwice({
        ...{ tenantId, touches, max: LAPSED_PER_POSTING },
        open: () => book.draft(scope, legOffset),
        decide: (trial, prepare) => {
          prepare();
          return ledger.decide(trial, state);
        },
      });
      if (!decision.ok && isForWantOfMoney(decision.failure)) {
        wants.push({ tenantId, touches, at: scope.at });
      }
      return {
        ...{ draft, decision },
        take: () => {
          book.apply(draft);
        },
      };
    });
    return { ref, guard, change: withLine(ref, change, hasPosted) };
  });
  return { book, writes, wants };
}

/** The same change, saying whether the operation lets its line go by it. */
export function withLine(
  { isInLine }: JournalRef,
  change: JournalChange,
  hasPosted = false,
): JournalChange {
  return isInLine && leavesLine(change, hasPosted) ? { ...change, leavesLine: true } : change;
}

/** Event ids follow from the journal: `<operationId>.r<rev>.e<n>`, the same at every attempt. */
export function outboxEvents(
  writes: readonly JournalWrite[],
): ReadonlyMap<string, readonly OutboxEvent[]> {
  const byTenant = new Map<string, OutboxEvent[]>();
  for (const { ref, change } of writes) {
    const { _id, tenantId } = ref.operation;
    const list = byTenant.get(tenantId) ?? [];
    byTenant.set(tenantId, list);
    for (const [index, { name, data }] of change.events.entries()) {
      const id = `${_id}.r${ref.rev}.e${index}`;
      list.push({ id, name, operationId: _id, data, turn: turnOf(ref) });
    }
  }
  for (const [tenantId, events] of byTenant) if (events.length === 0) byTenant.delete(tenantId);
  return byTenant;
}
