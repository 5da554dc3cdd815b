import type { Draft, DraftEvent } from '../ledger/book.ts';
import type { Json } from '../kernel/canonical.ts';
import type { Result } from '../kernel/result.ts';
import type { Fuse, FusePart, JournalChange, LedgerWork } from './journal.ts';
import type { SagaState } from './machine.ts';

/** A part that was decided; `take` makes it the ledger's. */
interface Decided {
  readonly decision: Result<Json | undefined>;
  readonly draft: Draft;
  readonly take: () => void;
}

/** Decides a posting on what the ledger has become by those before it. */
export type DecidePosting = (ledger: LedgerWork, state: SagaState) => Decided;

interface Fused {
  readonly change: JournalChange;
  readonly hasPosted: boolean;
}

/**
 * Takes the parts of a fuse one after another, as far as they are accepted. Pure.
 *
 * @throws what the first part throws: there is nothing before it to be written.
 */
export function decideFuse(fuse: Fuse, decide: DecidePosting): Fused {
  const events: DraftEvent[] = [];
  let { state } = fuse;
  let hasPosted = false;
  for (const [index, part] of fuse.parts.entries()) {
    const taken = takePart(part, state, { decide, isFirst: index === 0 });
    if (taken !== undefined) {
      state = taken.state;
      events.push(...taken.events);
      hasPosted ||= taken.hasPosted;
    }
    if (taken?.isAccepted !== true) {
      return { change: fuse.changeOf({ state, events, isWhole: false }), hasPosted };
    }
  }
  return { change: endOf(fuse, state, events), hasPosted };
}

interface Taken {
  readonly state: SagaState;
  readonly events: readonly DraftEvent[];
  readonly hasPosted: boolean;
  readonly isAccepted: boolean;
}

/** Undefined: it threw. It will do so again, at the head of the next write, and be put before a human. */
function takePart(
  part: FusePart,
  state: SagaState,
  { decide, isFirst }: { readonly decide: DecidePosting; readonly isFirst: boolean },
): Taken | undefined {
  if (part.kind === 'know') {
    return { state: part.after(state), events: [], hasPosted: false, isAccepted: true };
  }
  try {
    const { decision, draft, take } = decide(part.ledger, state);
    const after = part.after(state, decision);
    if (!decision.ok) return { state: after, events: [], hasPosted: false, isAccepted: false };
    take();
    const { events, entries } = draft;
    return { state: after, events, hasPosted: entries.length > 0, isAccepted: true };
  } catch (error) {
    if (isFirst) throw error;
    return undefined;
  }
}

/** A result that cannot be made up out of the steps keeps nobody from storing the steps. */
function endOf(fuse: Fuse, state: SagaState, events: readonly DraftEvent[]): JournalChange {
  try {
    return fuse.changeOf({ state, events, isWhole: true });
  } catch (error) {
    if (fuse.parts.length === 0) throw error;
    return fuse.changeOf({ state, events, isWhole: false });
  }
}
