/** Up to where what has become overdue has been looked at once, by what it is. */
export interface News {
  /** Where the next look at what is new begins. */
  since(what: string, now: Date): Date;
  seen(what: string, until: Date): void;
}

/** Who begins looks back so far: what an earlier sweeper has not come to. */
const LOOK_BACK_MS = 60_000;

/** Of one process; another one looks at some of it again, which is harmless. */
export function createNews(): News {
  const seenUntil = new Map<string, Date>();
  return Object.freeze({
    since: (what: string, now: Date) =>
      seenUntil.get(what) ?? new Date(now.getTime() - LOOK_BACK_MS),
    seen: (what: string, until: Date) => {
      seenUntil.set(what, until);
    },
  });
}
