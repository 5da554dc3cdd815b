/** What the messages under way or in a line take up together, whatever their number. */
export interface Budget {
  /** False: too much is under way; the first one always fits. */
  take(chars: number): boolean;
  giveBack(chars: number): void;
}

/**
 * The pool is bounded in messages, and a message in size; the two ceilings multiplied are more than
 * a process has, and one that dies takes its other pools with it.
 */
export function createBudget(charsMax: number): Budget {
  let taken = 0;
  return Object.freeze({
    take: (chars: number) => {
      if (taken > 0 && taken + chars > charsMax) return false;
      taken += chars;
      return true;
    },
    giveBack: (chars: number) => {
      taken -= chars;
    },
  });
}

/** Of its texts; all else is small. */
export function charsOf(message: object): number {
  const texts = Object.values(message).filter((value) => typeof value === 'string');
  return texts.reduce((sum, text) => sum + text.length, 0);
}
