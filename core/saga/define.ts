import type { z } from 'zod';
import type { Json } from '../kernel/canonical.ts';
import type { OperationId } from '../kernel/ids.ts';
import type { Result } from '../kernel/result.ts';
import type { Draft } from '../ledger/book.ts';
import type { SystemWallet } from '../ledger/documents.ts';

export interface WalletRef {
  readonly userId: string;
  readonly currency: string;
}

/** What a decision reads: loaded before it, in two queries at most. */
export interface Touches {
  readonly users?: readonly string[];
  readonly wallets?: readonly WalletRef[];
  /** Users of whom every wallet is needed. */
  readonly walletsOf?: readonly string[];
  readonly systems?: readonly { readonly name: SystemWallet; readonly currency: string }[];
  /** Loaded together with the wallets at both their ends. */
  readonly transfers?: readonly string[];
  /** Loaded together with their wallets. */
  readonly holds?: readonly string[];
}

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
}

const NOTHING: Required<Touches> = {
  users: [],
  wallets: [],
  walletsOf: [],
  systems: [],
  transfers: [],
  holds: [],
};

/** A definition with its input bound: what the machinery works with. */
export interface BoundOperation {
  readonly ordering: Ordering;
  readonly mainWallet: WalletRef | undefined;
  readonly touches: Required<Touches>;
  decide(draft: Draft, origin: Origin): Result<Json | undefined>;
  describe(origin: Origin): Readonly<Record<string, Json>>;
}

export interface OperationDefinition {
  readonly type: string;
  readonly version: number;
  readonly mode: 'atomic';
  readonly summary: string;
  readonly input: z.ZodType;
  /** `input` must have come out of this definition's schema (ingest stores only such). */
  bind(input: unknown): BoundOperation;
}

/**
 * Declares an operation type. One file and one registry line each: the request union, job
 * handling, metrics, documentation and conformance tests derive from the registry.
 */
export function defineOperation<I>(spec: AtomicSpec<I>): OperationDefinition {
  return Object.freeze({
    type: spec.type,
    version: spec.version,
    mode: spec.mode,
    summary: spec.summary,
    input: spec.input,
    bind: (raw: unknown): BoundOperation => {
      const input = raw as I; // parsed by `spec.input` at ingest, stored as it came out
      return {
        ordering: spec.ordering(input),
        mainWallet: spec.mainWallet?.(input),
        touches: { ...NOTHING, ...spec.touches(input) },
        decide: (draft, origin) => spec.decide(draft, input, origin),
        describe: (origin) => spec.describe?.(input, origin) ?? {},
      };
    },
  });
}
