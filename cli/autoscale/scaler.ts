/** Decides how many workers there should be: up at once, down one by one and only after a while. */
export interface Scaler {
  next(current: number, recommended: number): number;
}

interface Bounds {
  readonly min: number;
  readonly max: number;
  /** Rounds in a row that must ask for fewer before one is stopped. */
  readonly patience: number;
}

/** A backlog that ebbs for a moment is no reason to stop a worker that it needs again right after. */
export function createScaler({ min, max, patience }: Bounds): Scaler {
  let lowRounds = 0;
  return {
    next: (current, recommended) => {
      const wanted = Math.min(max, Math.max(min, recommended));
      lowRounds = wanted < current ? lowRounds + 1 : 0;
      if (wanted >= current) return wanted;
      if (lowRounds < patience) return current;
      lowRounds = 0;
      return current - 1;
    },
  };
}
