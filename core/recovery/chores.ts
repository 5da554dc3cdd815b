import { type Clock, startTicker } from '../kernel/clock.ts';

/** What a recovery process does again and again, by timers of its own. */
export interface Chore {
  /** Stands in the log line of a failure. */
  readonly name: string;
  readonly intervalMs: number | (() => number);
  /** Spreads processes that began together. */
  readonly jitterMs?: number;
  /** One run at a time; the next begins an interval after the last has ended. */
  run(): Promise<void>;
}

interface ChoresDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly onError: (err: unknown, chore: string) => void;
}

/** Starts all of them; the returned function stops them, and waits for what is under way. */
export function startChores(deps: ChoresDeps, chores: readonly Chore[]): () => Promise<void> {
  const { clock, random, onError } = deps;
  const tickers = chores.map((chore) =>
    startTicker({
      ...{ clock, random },
      intervalMs: chore.intervalMs,
      jitterMs: chore.jitterMs ?? 0,
      run: () => chore.run(),
      onError: (err) => {
        onError(err, chore.name);
      },
    }),
  );
  return async () => {
    await Promise.all(tickers.map((ticker) => ticker.stop()));
  };
}
