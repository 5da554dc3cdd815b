import type { Cluster } from '../cluster/cluster.ts';
import type { Random } from '../random.ts';

/** One thing that can be done to a cluster: a row of the catalogue. */
export interface FaultKind {
  readonly name: string;
  /** What it breaks, in a few words, for the report. */
  readonly summary: string;
  /** Rows of the fault matrix in docs/chaos.md. */
  readonly covers: readonly string[];
  readonly targets: readonly string[];
  /** What nobody else may break at the same time. */
  readonly claims: (target: string) => readonly string[];
  /** Shortest and longest; where leases are short, less is as much. */
  readonly seconds: Span | Readonly<Record<Timing, Span>>;
  strike(context: StrikeContext): Promise<Strike>;
}

export type Timing = 'production' | 'quick';
type Span = readonly [number, number];

export interface StrikeContext {
  readonly cluster: Cluster;
  readonly target: string;
  /** How long it is going to last. */
  readonly forMs: number;
  readonly random: Random;
}

export interface Strike {
  /** What it befell so far: processes, connections, messages, calls. */
  strikes(): number;
  /** That is known only after `heal`. */
  readonly isCountedAtEnd?: true;
  heal(): Promise<void>;
  readonly note?: string;
}

export function spanOf({ seconds }: FaultKind, timing: Timing): Span {
  return 'production' in seconds ? seconds[timing] : seconds;
}
