import { type Json } from '../kernel/canonical.ts';
import type { Failure } from '../kernel/errors.ts';
import type { OperationId } from '../kernel/ids.ts';
import type { Result } from '../kernel/result.ts';
import type { Draft } from '../ledger/book.ts';
import { LEGS_PER_POSTING } from '../ledger/documents.ts';
import type { SagaServices } from './services.ts';
import type { Touches } from './touches.ts';

/** A step with nothing to take back says why: `none-needed: it only reads`. */
export type NoneNeeded = `none-needed: ${string}`;

/**
 * What may be done about an external call whose outcome is unknown (timeout, crash, 5xx).
 * `safe`: make it again under the same key. `query`: ask the other side first. `never`: only a
 * human can tell.
 */
export type Redo = 'safe' | 'query' | 'never';

export interface Signal {
  readonly data: Json;
  readonly at: Date;
  readonly by: string;
}

/** What a step sees: the input, and what earlier steps have recorded. */
export interface StepContext<I> {
  readonly tenantId: string;
  readonly operationId: OperationId;
  readonly input: I;
  /** Recorded results by step name. */
  readonly results: Readonly<Record<string, Json | undefined>>;
  /** Outside events that have arrived, by name. */
  readonly signals: Readonly<Record<string, Signal>>;
  /** True when the step waited for a signal and its time has passed without one. */
  readonly hasWaitExpired: boolean;
  readonly attempt: number;
}

/** What an external call is made with. */
export interface StepTools {
  /** `<operationId>.<step>`, the same at every attempt: the other side's idempotency key. */
  readonly key: string;
  /** Aborts at the step's timeout, and when this process no longer owns the operation. */
  readonly signal: AbortSignal;
  readonly services: SagaServices;
}

/**
 * What became of a call. `refused` says that it definitely had no effect; a throw says that nobody
 * knows. `wait` parks the operation until the signal comes or the time is over, then runs the step
 * again.
 */
export type StepReply =
  | { readonly kind: 'done'; readonly result?: Json }
  | { readonly kind: 'refused'; readonly failure: Failure }
  | { readonly kind: 'wait'; readonly signal: string; readonly forMs?: number };

/** What the other side knows of a call. */
export type QueryReply =
  | { readonly kind: 'done'; readonly result?: Json }
  | { readonly kind: 'refused'; readonly failure: Failure }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unknown' };

export interface RetryPolicy {
  readonly attemptsMax: number;
  readonly baseMs: number;
  readonly capMs: number;
}

/** Ledger and journal in one MongoDB transaction: either both happened or neither. */
export interface LedgerPosting<I> {
  touches(ctx: StepContext<I>): Touches;
  /** Pure. What it returns is recorded as the step's result. A refusal drops the draft. */
  decide(draft: Draft, ctx: StepContext<I>): Result<Json | undefined>;
}

interface StepBase {
  readonly name: string;
  /** From here on only forward: later steps are retried, never taken back. At most one per saga. */
  readonly isPivot?: true;
}

/** A local step: one transaction that compares-and-sets the operation and writes the ledger. */
export interface LedgerStep<I> extends StepBase, LedgerPosting<I> {
  readonly kind: 'ledger';
  /** Takes back what `decide` posted; only ever runs when that was committed. */
  readonly compensate: LedgerPosting<I> | NoneNeeded;
}

/** An effect outside our database, or a read that has to be recorded. */
export interface CallStep<I> extends StepBase {
  readonly kind: 'call';
  readonly redo: Redo;
  /**
   * It looks something up and changes nothing anywhere: no intent is stored before it, and what it
   * found is stored with what comes next. A look that is lost is made again.
   */
  readonly onlyLooks?: true;
  readonly timeoutMs: number;
  readonly retry: RetryPolicy;
  /** It waits so long for a provider that does not answer; by default as LIMITS says. */
  readonly patienceMs?: number;
  /**
   * The payment provider that every call of this step goes to. While it is down, busy or not to be
   * had here, the step waits, and no attempt is used up.
   */
  provider?(ctx: StepContext<I>): string;
  run(ctx: StepContext<I>, tools: StepTools): Promise<StepReply>;
  /** For `redo: 'query'`: what became of the call under `tools.key`. */
  query?(ctx: StepContext<I>, tools: StepTools): Promise<QueryReply>;
  /**
   * Takes back the call under `tools.key`, idempotently. When it never arrived it must leave a
   * tombstone under that key, so that a late attempt finds the door shut. Throws to be tried again.
   */
  readonly compensate: CallCompensation<I> | NoneNeeded;
}

export interface CallCompensation<I> {
  run(ctx: StepContext<I>, tools: StepTools): Promise<void>;
}

export type Step<I> = LedgerStep<I> | CallStep<I>;

/** Steps as the engine handles them, their input out of sight. */
export interface SagaPlan {
  readonly steps: readonly Step<unknown>[];
  /** The operation's result out of those of its steps. */
  result(ctx: Pick<StepContext<unknown>, 'operationId' | 'input' | 'results'>): Json | undefined;
}

export function done(result?: Json): StepReply & QueryReply {
  return result === undefined ? { kind: 'done' } : { kind: 'done', result };
}

export function refusedCall(failure: Failure): StepReply & QueryReply {
  return { kind: 'refused', failure };
}

export function waitFor(signal: string, forMs?: number): StepReply {
  return forMs === undefined ? { kind: 'wait', signal } : { kind: 'wait', signal, forMs };
}

export function hasCompensation({ compensate }: { readonly compensate: unknown }): boolean {
  return typeof compensate !== 'string';
}

/** Legs of a step's entries: room for each posting's own, so that none can take another's id. */
export function legOffsetOf(stepIndex: number, direction: 'forward' | 'undo'): number {
  return (stepIndex * 2 + (direction === 'undo' ? 1 : 0)) * LEGS_PER_POSTING;
}
