import type { z } from 'zod';
import { assert } from '../kernel/assert.ts';
import type { Json } from '../kernel/canonical.ts';
import { InvariantError } from '../kernel/errors.ts';
import type { OperationId } from '../kernel/ids.ts';
import { type Result, ok } from '../kernel/result.ts';
import type { Draft } from '../ledger/book.ts';
import type { BaseScope } from '../access/scopes.ts';
import {
  type CallStep,
  type SagaPlan,
  type Step,
  type StepContext,
  hasCompensation,
} from './step.ts';
import { NO_TOUCHES, type Touches, type WalletRef } from './touches.ts';

/**
 * Which line an operation stands in: the user that pays (else is paid), or, for work on a transfer
 * or a hold, the line of the operation that created it, so that it always comes after it.
 */
export type Ordering = { readonly user: string } | { readonly follows: OperationId };

/** Where an operation's effect is recorded: its id, or in a batch its id and the item's number. */
export type Origin = OperationId | `${OperationId}-${number}`;

export interface AtomicSpec<I> {
  readonly type: string;
  readonly version: number;
  readonly mode: 'atomic';
  /** One line for the generated documentation. */
  readonly summary: string;
  /** Normalises to plain JSON (amounts as decimal digits), which is what is stored and hashed. */
  readonly input: z.ZodType<I>;
  readonly ordering: (input: I) => Ordering;
  /** Users for whom it creates what others may be waiting for: the user, or a wallet. */
  readonly creates?: (input: I) => readonly string[];
  /** The wallet that preconditions speak about; absent when the type has none. */
  readonly mainWallet?: (input: I) => WalletRef | undefined;
  readonly touches: (input: I) => Touches;
  /**
   * Pure. Writes to the draft and returns what to store as the result: `undefined` when `describe`
   * says it all. A refusal drops the draft, so it may come after writes. A throw is a bug and parks
   * the operation.
   */
  readonly decide: (draft: Draft, input: I, origin: Origin) => Result<Json | undefined>;
  /** The part of the result that follows from input and origin alone, so that it need not be stored. */
  readonly describe?: (input: I, origin: Origin) => Readonly<Record<string, Json>>;
  /** False: it never has entries, which the verifier then holds it to. By default it always has. */
  readonly movesMoney?: boolean;
  /** Older versions, kept until no operation of theirs is open, scheduled ones included. */
  readonly earlier?: readonly OperationDefinition[];
}

/** A definition with its input bound: what the machinery works with. */
export interface BoundOperation {
  readonly ordering: Ordering;
  readonly creates: readonly string[];
  readonly mainWallet: WalletRef | undefined;
  readonly touches: Required<Touches>;
  decide(draft: Draft, origin: Origin): Result<Json | undefined>;
  describe(origin: Origin): Readonly<Record<string, Json>>;
}

/** What its steps may wait for, by name: what data each takes. Nothing else is let in. */
export type SignalSchemas = Readonly<Record<string, z.ZodType>>;

/** Versions of the types that an operation is made of; the first where a type is not named. */
export type PartVersions = Readonly<Record<string, number>>;

export type OperationMode = 'atomic' | 'stepwise';

export interface OperationDefinition {
  readonly type: string;
  readonly version: number;
  readonly mode: OperationMode;
  readonly summary: string;
  readonly input: z.ZodType;
  /** `input` must have come out of this definition's schema (ingest stores only such). */
  /** `parts`: of what is stored, as it says; without them as of now. */
  bind(input: unknown, parts?: PartVersions): BoundOperation;
  /** Of what is made of other types: the versions of those that are not at their first. */
  partVersions?(input: unknown): PartVersions;
  /** The types that it is made of, where it is only the form that others come in. */
  parts?(input: unknown): readonly string[];
  /** Whether it has entries once it has succeeded. Undefined: it may have. */
  readonly movesMoney?: boolean;
  /** What a key needs to ask for it, where the right to submit operations is not enough. */
  readonly scope?: BaseScope;
  /** An input that succeeds, given a fresh name: for the documentation and the conformance tests. */
  readonly example?: (name: string) => unknown;
  /** Stepwise only. */
  readonly saga?: SagaPlan;
  readonly signals?: SignalSchemas;
  /** Older versions, kept until no operation of theirs is in flight. */
  readonly earlier?: readonly OperationDefinition[];
}

/** Steps in one shared transaction: what one refuses, MongoDB rolls back for all. */
export interface AtomicStep<I> {
  readonly name: string;
  readonly touches: (input: I) => Touches;
  readonly decide: (draft: Draft, input: I, origin: Origin) => Result<Json | undefined>;
}

export interface AtomicSagaSpec<I> extends Omit<AtomicSpec<I>, 'touches' | 'decide'> {
  readonly steps: readonly AtomicStep<I>[];
}

export interface StepwiseSpec<I> {
  readonly type: string;
  readonly version: number;
  readonly mode: 'stepwise';
  readonly summary: string;
  readonly input: z.ZodType<I>;
  readonly ordering: (input: I) => Ordering;
  readonly steps: readonly Step<I>[];
  /** The operation's result out of those of its steps; by default nothing. */
  readonly result?: (
    ctx: Pick<StepContext<I>, 'operationId' | 'input' | 'results'>,
  ) => Json | undefined;
  readonly earlier?: readonly OperationDefinition[];
  /** The signals that its steps wait for, each with the schema of its data. */
  readonly signals?: SignalSchemas;
  /** What a key needs to ask for it; by default the right to submit operations. */
  readonly scope?: BaseScope;
  /** Whether it has entries once it has succeeded; say it, and the verifier holds it to that. */
  readonly movesMoney?: boolean;
  /**
   * An input that succeeds. `name` is fresh, and there is a user of that name with 1,000.00 EUR.
   * The documentation shows it, and the conformance tests crash it at every edge.
   */
  readonly example?: (name: string) => z.input<z.ZodType<I>>;
}

export type AtomicDefinition = OperationDefinition & { readonly mode: 'atomic' };
export type StepwiseDefinition = OperationDefinition & { readonly mode: 'stepwise' };

/**
 * Declares an operation type. One file and one registry line each: the request union, job
 * handling, metrics, documentation and conformance tests derive from the registry.
 */
export function defineOperation<I>(spec: AtomicSpec<I> | AtomicSagaSpec<I>): AtomicDefinition;
export function defineOperation<I>(spec: StepwiseSpec<I>): StepwiseDefinition;
export function defineOperation<I>(
  spec: AtomicSpec<I> | AtomicSagaSpec<I> | StepwiseSpec<I>,
): OperationDefinition {
  if (spec.mode === 'stepwise') return defineStepwise(spec);
  return 'steps' in spec ? defineAtomic(sharingOneTransaction(spec)) : defineAtomic(spec);
}

function defineAtomic<I>(spec: AtomicSpec<I>): AtomicDefinition {
  return Object.freeze({
    type: spec.type,
    version: spec.version,
    mode: spec.mode,
    summary: spec.summary,
    input: spec.input,
    movesMoney: spec.movesMoney ?? true,
    ...(spec.earlier !== undefined && { earlier: spec.earlier }),
    bind: (raw: unknown): BoundOperation => {
      const input = raw as I; // parsed by `spec.input` at ingest, stored as it came out
      return {
        ordering: spec.ordering(input),
        creates: spec.creates?.(input) ?? [],
        mainWallet: spec.mainWallet?.(input),
        touches: { ...NO_TOUCHES, ...spec.touches(input) },
        decide: (draft, origin) => spec.decide(draft, input, origin),
        describe: (origin) => spec.describe?.(input, origin) ?? {},
      };
    },
  });
}

/** The steps one after another on one draft; the result has those of the steps by name. */
function sharingOneTransaction<I>({ steps, ...spec }: AtomicSagaSpec<I>): AtomicSpec<I> {
  return {
    ...spec,
    touches: (input) => mergeTouches(steps.map((step) => step.touches(input))),
    decide: (draft, input, origin) => {
      const results: Record<string, Json> = {};
      for (const step of steps) {
        const decision = step.decide(draft, input, origin);
        if (!decision.ok) return decision;
        if (decision.value !== undefined) results[step.name] = decision.value;
      }
      return ok(Object.keys(results).length === 0 ? undefined : results);
    },
  };
}

function mergeTouches(all: readonly Touches[]): Touches {
  return {
    users: all.flatMap(({ users = [] }) => users),
    wallets: all.flatMap(({ wallets = [] }) => wallets),
    walletsOf: all.flatMap(({ walletsOf = [] }) => walletsOf),
    systems: all.flatMap(({ systems = [] }) => systems),
    transfers: all.flatMap(({ transfers = [] }) => transfers),
    holds: all.flatMap(({ holds = [] }) => holds),
  };
}

function assertCall<I>(step: CallStep<I>): void {
  const { name, redo, onlyLooks } = step;
  assert(redo !== 'query' || step.query !== undefined, `step ${name} says how to ask`);
  // Nothing of it is anywhere, so that it can be forgotten.
  const isRepeatable = redo === 'safe' && step.provider === undefined && step.isPivot !== true;
  const isLook = isRepeatable && !hasCompensation(step);
  assert(onlyLooks !== true || isLook, `step ${name} only looks, and can be made again`);
}

function defineStepwise<I>(spec: StepwiseSpec<I>): StepwiseDefinition {
  const names = spec.steps.map(({ name }) => name);
  assert(new Set(names).size === names.length, 'the steps of a saga have different names');
  assert(spec.steps.filter((step) => step.isPivot).length <= 1, 'a saga has one pivot at most');
  for (const step of spec.steps) if (step.kind === 'call') assertCall(step);
  return Object.freeze({
    type: spec.type,
    version: spec.version,
    mode: spec.mode,
    summary: spec.summary,
    input: spec.input,
    saga: {
      steps: spec.steps,
      result: (ctx: Parameters<SagaPlan['result']>[0]) =>
        spec.result?.({ ...ctx, input: ctx.input as I }), // as in `bind` below
    },
    ...(spec.earlier !== undefined && { earlier: spec.earlier }),
    ...(spec.signals !== undefined && { signals: spec.signals }),
    ...(spec.scope !== undefined && { scope: spec.scope }),
    ...(spec.movesMoney !== undefined && { movesMoney: spec.movesMoney }),
    ...(spec.example !== undefined && { example: spec.example }),
    bind: (raw: unknown): BoundOperation => ({
      ordering: spec.ordering(raw as I), // parsed by `spec.input` at ingest
      creates: [],
      mainWallet: undefined,
      touches: NO_TOUCHES,
      decide: () => {
        throw new InvariantError('stepwise operations are not settled in lanes');
      },
      describe: () => ({}),
    }),
  });
}

/** The types of operations, by name. */
export type Registry = Readonly<Record<string, OperationDefinition>>;
