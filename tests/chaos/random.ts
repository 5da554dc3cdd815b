/** Numbers that follow from a seed and nothing else, so that a run's plan can be had again. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  /** From 0 to `below` - 1. */
  int(below: number): number;
  between(low: number, high: number): number;
  chance(probability: number): boolean;
  /** @throws Error for an empty list. */
  pick<T>(list: readonly T[]): T;
  /** Of its own: what one part draws does not move what another gets. */
  fork(label: string): Random;
}

/** sfc32, seeded by a hash of the text (https://pracrand.sourceforge.net). */
export function createRandom(seed: string): Random {
  let [a, b, c, d] = [hashOf(`${seed}/a`), hashOf(`${seed}/b`), hashOf(`${seed}/c`), 1];
  const next = (): number => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return (t >>> 0) / 2 ** 32;
  };
  for (let round = 0; round < 12; round += 1) next();
  const int = (below: number): number => Math.floor(next() * below);
  return Object.freeze({
    next,
    int,
    between: (low: number, high: number) => low + int(high - low + 1),
    chance: (probability: number) => next() < probability,
    pick: <T>(list: readonly T[]): T => {
      const found = list[int(list.length)];
      if (found === undefined) throw new Error('nothing to pick from');
      return found;
    },
    fork: (label: string) => createRandom(`${seed}/${label}`),
  });
}

/** FNV-1a, 32 bit. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash | 0;
}
