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
  /** `often`: beside the others, one after another in every episode. */
  readonly kills?: Kills;
  /** At least, after every episode. */
  readonly calmMs?: number;
}

export type Kills = 'usual' | 'often';

const TOGETHER = 4;
const OFFSET_MS_MAX = 2_500;
const CALM_MS = [2_000, 6_000] as const;
const TRIES_MAX = 20;

/**
 * Episodes of two to four faults that overlap, each followed by a calm in which things may mend
 * and be measured. Every kind comes up before one is repeated.
 */
export function planFaults(options: PlanOptions): readonly PlannedFault[] {
  const { kinds, totalMs, random, together = TOGETHER, kills, calmMs = 0 } = options;
  const planned: PlannedFault[] = [];
  const deck = createDeck(kinds, random);
  for (let atMs = random.between(500, 1_500); ;) {
    const count = random.between(Math.min(2, together), together);
    const episode = planEpisode({ ...options, deck, count, atMs, first: planned.length });
    const endMs = endOf(episode, atMs);
    if (kills === 'often') {
      episode.push(...planKills({ ...options, episode, atMs, endMs, first: planned.length }));
    }
    if (endMs > totalMs && planned.length > 0) return planned;
    planned.push(...episode);
    if (episode.length === 0 || endMs > totalMs) return planned;
    atMs = endOf(episode, endMs) + Math.max(calmMs, random.between(...CALM_MS));
  }
}

interface EpisodeOptions extends PlanOptions {
  readonly deck: Deck;
  readonly count: number;
  readonly atMs: number;
  /** Number of its first fault. */
  readonly first: number;
}

function planEpisode(options: EpisodeOptions): PlannedFault[] {
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

interface KillsOptions extends PlanOptions {
  readonly episode: readonly PlannedFault[];
  readonly atMs: number;
  readonly endMs: number;
  readonly first: number;
}

/** What dies at once and is started again. */
const KILLS: ReadonlySet<string> = new Set([
  'kill-worker',
  'kill-api',
  'kill-primary',
  'kill-secondary',
  'kill-redis',
]);
const KILL_EVERY_MS = [4_000, 7_000] as const;
const KILL_TRIES_MAX = 8;
/** Until what was killed is back. */
const BACK_MS = 6_000;

/** One kill after the other while an episode lasts, each of somebody who is not being broken. */
function planKills(options: KillsOptions): readonly PlannedFault[] {
  const { kinds, random, timing, episode, endMs, first } = options;
  const killing = kinds.filter(({ name }) => KILLS.has(name));
  const claimsOf = ({ kind, target }: PlannedFault): readonly string[] =>
    kinds.find(({ name }) => name === kind)?.claims(target) ?? [];
  const planned: PlannedFault[] = [];
  if (killing.length === 0) return planned;
  let atMs = options.atMs + random.between(500, KILL_EVERY_MS[0]);
  for (; atMs < endMs; atMs += random.between(...KILL_EVERY_MS)) {
    for (let tries = 0; tries < KILL_TRIES_MAX; tries += 1) {
      const kind = random.pick(killing);
      const [low, high] = spanOf(kind, timing);
      const one: PlannedFault = {
        id: `f${String(first + episode.length + planned.length + 1)}`,
        kind: kind.name,
        target: random.pick(kind.targets),
        atMs,
        forMs: random.between(low * 1_000, high * 1_000),
      };
      const claims = new Set(claimsOf(one));
      const isTaken = [...episode, ...planned].some(
        (other) => isNear(one, other) && claimsOf(other).some((claim) => claims.has(claim)),
      );
      if (isTaken) continue;
      planned.push(one);
      break;
    }
  }
  return planned;
}

function isNear(one: PlannedFault, other: PlannedFault): boolean {
  return (
    one.atMs < other.atMs + other.forMs + BACK_MS && other.atMs < one.atMs + one.forMs + BACK_MS
  );
}

function endOf(faults: readonly PlannedFault[], atMs: number): number {
  return Math.max(atMs, ...faults.map((fault) => fault.atMs + fault.forMs));
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
