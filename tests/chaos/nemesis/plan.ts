import type { Random } from '../random.ts';
import { type FaultKind, type Timing, spanOf } from './fault-kind.ts';

/** What will be broken, when and for how long: a pure function of the seed. */
export interface PlannedFault {
  readonly id: string;
  readonly kind: string;
  readonly target: string;
  readonly atMs: number;
  readonly forMs: number;
}

export interface PlanOptions {
  readonly kinds: readonly FaultKind[];
  readonly totalMs: number;
  readonly timing: Timing;
  readonly random: Random;
  /** Faults that overlap, at most. */
  readonly together?: number;
}

const TOGETHER = 4;
const OFFSET_MS_MAX = 2_500;
const CALM_MS = [2_000, 6_000] as const;
const TRIES_MAX = 20;

/**
 * Episodes of two to four faults that overlap, each followed by a calm in which things may mend
 * and be measured. Every kind comes up before one is repeated.
 */
export function planFaults(options: PlanOptions): readonly PlannedFault[] {
  const { kinds, totalMs, random, together = TOGETHER } = options;
  const planned: PlannedFault[] = [];
  const deck = createDeck(kinds, random);
  for (let atMs = random.between(500, 1_500); ;) {
    const count = random.between(Math.min(2, together), together);
    const episode = planEpisode({ ...options, deck, count, atMs, first: planned.length });
    const endMs = Math.max(atMs, ...episode.map((fault) => fault.atMs + fault.forMs));
    if (endMs > totalMs && planned.length > 0) return planned;
    planned.push(...episode);
    if (episode.length === 0 || endMs > totalMs) return planned;
    atMs = endMs + random.between(...CALM_MS);
  }
}

interface EpisodeOptions extends PlanOptions {
  readonly deck: Deck;
  readonly count: number;
  readonly atMs: number;
  /** Number of its first fault. */
  readonly first: number;
}

function planEpisode(options: EpisodeOptions): readonly PlannedFault[] {
  const { deck, random, timing, count, atMs, first } = options;
  const claimed = new Set<string>();
  const faults: PlannedFault[] = [];
  for (let tries = 0; faults.length < count && tries < TRIES_MAX; tries += 1) {
    const kind = deck.draw();
    const target = random.pick(kind.targets);
    const claims = kind.claims(target);
    if (claims.some((claim) => claimed.has(claim))) {
      deck.putBack(kind);
      continue;
    }
    for (const claim of claims) claimed.add(claim);
    const [low, high] = spanOf(kind, timing);
    faults.push({
      id: `f${String(first + faults.length + 1)}`,
      kind: kind.name,
      target,
      atMs: atMs + (faults.length === 0 ? 0 : random.between(0, OFFSET_MS_MAX)),
      forMs: random.between(low * 1_000, high * 1_000),
    });
  }
  return faults;
}

interface Deck {
  draw(): FaultKind;
  putBack(kind: FaultKind): void;
}

/** All kinds in an order of their own, then all in another. */
function createDeck(kinds: readonly FaultKind[], random: Random): Deck {
  let cards: FaultKind[] = [];
  return {
    draw: () => {
      if (cards.length === 0) cards = shuffled(kinds, random);
      const card = cards.shift();
      if (card === undefined) throw new Error('there is no kind of fault to plan');
      return card;
    },
    putBack: (kind) => {
      cards.push(kind);
    },
  };
}

function shuffled<T>(list: readonly T[], random: Random): T[] {
  return list
    .map((value) => ({ value, order: random.next() }))
    .sort((a, b) => a.order - b.order)
    .map(({ value }) => value);
}
