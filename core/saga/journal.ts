import type { Json } from '../kernel/canonical.ts';
import type { Failure } from '../kernel/errors.ts';
import type { OperationId } from '../kernel/ids.ts';
import type { Result } from '../kernel/result.ts';
import type { Draft, DraftEvent } from '../ledger/book.ts';
import type { SagaState } from './machine.ts';
import type { Claim } from '../operations/claim.ts';
import type { OperationDoc, Parking } from '../operations/operation.ts';
import type { OperationStatus } from '../operations/status.ts';
import type { Signal } from '../operations/step.ts';
import type { Touches } from '../operations/touches.ts';

export type ClaimOutcome =
  | { readonly kind: 'claimed'; readonly claim: Claim }
  /** Another claim is alive: come again. */
  | { readonly kind: 'busy'; readonly retryAfterMs: number }
  /** Terminal, parked or waiting for something that has not come: nothing to do. */
  | { readonly kind: 'idle' };

/** Which journal, and the state of it that a write builds upon. */
export interface JournalRef {
  readonly operation: Pick<
    OperationDoc,
    '_id' | 'tenantId' | 'type' | 'metadata' | 'orderingKey' | 'createdAt' | 'requestedRunAt'
  >;
  /** It stands in line, as far as the run knows. */
  readonly isInLine: boolean;
  readonly epoch: number;
  readonly rev: number;
}

/** What an operation becomes by one journal write. */
export interface JournalChange {
  readonly state: SagaState;
  /**
   * `keep`: we go on. `release`: somebody else may claim it at once. `wait`: nobody may before
   * `wakeAt`, or a signal. `end`: terminal, or parked for a human.
   */
  readonly lease: 'keep' | 'release' | 'wait' | 'end';
  readonly status: OperationStatus;
  readonly wakeAt?: Date;
  readonly result?: Json;
  readonly error?: Failure;
  /** Of a parking: what a timeline keeps of it. */
  readonly parked?: Parking;
  /** The worker, of an ending. */
  readonly settledBy?: { readonly worker: string };
  /** Leave through the outbox of the same transaction. */
  readonly events: readonly DraftEvent[];
  readonly at: Date;
  /** It lets go of its line, for whoever waits behind it; said by the journal (`withLine`). */
  readonly leavesLine?: true;
}

export interface LedgerWork {
  readonly touches: Touches;
  readonly legOffset: number;
  /** Database time of the entries. */
  readonly at: Date;
  /** Pure; may run again when the transaction has to be repeated. Sees what was decided before it. */
  decide(draft: Draft, state: SagaState): Result<Json | undefined>;
}

/** A part of a fuse: something that is known already, or a posting with the state after it. */
export type FusePart =
  | { readonly kind: 'know'; readonly after: (state: SagaState) => SagaState }
  | {
      readonly kind: 'post';
      readonly ledger: LedgerWork;
      readonly after: (state: SagaState, decision: Result<Json | undefined>) => SagaState;
    };

/** How far a fuse has come. */
export interface Reached {
  readonly state: SagaState;
  readonly events: readonly DraftEvent[];
  /** No part was refused or threw: what was to come after them comes. */
  readonly isWhole: boolean;
}

/**
 * Moments of a saga that are one write, in order, each with a draft of its own. What is refused, or
 * throws, ends it there, and what was accepted before it is written.
 */
export interface Fuse {
  /** What it begins with. */
  readonly state: SagaState;
  readonly parts: readonly FusePart[];
  /** Pure. */
  changeOf(reached: Reached): JournalChange;
}

/** What must not have come from outside when a write happens, for it would be overlooked. */
export interface Guard {
  readonly cancel?: true;
  readonly signal?: string;
}

/** What has come from outside. */
export interface Requests {
  readonly isCancelRequested: boolean;
  readonly signals: Readonly<Record<string, Signal>>;
}

interface CommitBase {
  readonly ref: JournalRef;
  readonly guard: Guard;
}

/** One compare-and-set on an operation, with what belongs into the same transaction. */
export type Commit =
  | (CommitBase & { readonly change: JournalChange })
  | (CommitBase & {
      readonly fuse: Fuse;
      /**
       * It builds on an outcome from outside that is not stored yet. Such a one is not held up by
       * what the fuse meets in the ledger: at the first abort the commit comes back as `aborted`.
       */
      readonly holdsOutcome: boolean;
    });

/** A commit but for the place in the journal that it builds upon. */
export type CommitPart = Commit extends infer C
  ? C extends Commit
    ? Omit<C, 'ref'>
    : never
  : never;

export type CommitOutcome =
  | { readonly kind: 'written'; readonly change: JournalChange }
  /** Somebody else has claimed the operation: stop, write nothing, call nobody. */
  | { readonly kind: 'fenced' }
  /** Not written, for what the guard names has come meanwhile. */
  | { readonly kind: 'overtaken'; readonly requests: Requests }
  /** Not written, for others were in the way; nothing has moved. */
  | { readonly kind: 'aborted' };

export interface Lease {
  readonly operationId: OperationId;
  readonly epoch: number;
}

export interface Renewal {
  readonly isOurs: boolean;
  readonly isCancelRequested: boolean;
}

/** What the engine needs of storage. */
export interface SagaJournal {
  claim(operationId: string): Promise<ClaimOutcome>;
  /**
   * Concurrent commits share round trips; each has its own outcome.
   *
   * @throws when the database does not answer; the outcome is then unknown, and committing the
   * same again is safe.
   */
  commit(commit: Commit): Promise<CommitOutcome>;
  renew(leases: readonly Lease[]): Promise<readonly Renewal[]>;
}
