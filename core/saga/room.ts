/** A place in a room, of one who finds out how many bytes it takes only once it has come in. */
export interface Seat {
  take(bytes: number): void;
  /** Once, by everybody who has entered. */
  leave(): void;
}

/** So many bytes of memory. */
export interface Room {
  /** Resolves when there is room; in the order in which they came. */
  enter(): Promise<Seat>;
}

export function createRoom(max: number): Room {
  let taken = 0;
  const waiting: (() => void)[] = [];
  const seat = (): Seat => {
    let mine = 0;
    return {
      take: (bytes) => {
        mine += bytes;
        taken += bytes;
      },
      leave: () => {
        taken -= mine;
        mine = 0;
        // A few for each that leaves, or those that wait would all come in at once.
        if (taken < max) waiting.shift()?.();
        if (taken < max / 2) waiting.shift()?.();
      },
    };
  };
  return Object.freeze({
    enter: async () => {
      if (taken >= max || waiting.length > 0) {
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
        });
      }
      return seat();
    },
  } satisfies Room);
}
