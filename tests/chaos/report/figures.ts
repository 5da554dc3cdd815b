import { ofKind } from '../checker/acceptance-rules.ts';
import { type Evidence, type StruckFault, isOver } from '../checker/evidence.ts';
import { grouped } from '../checker/rule.ts';
import type { RunResult } from '../run.ts';
import { spreadOf } from './spread.ts';

/** What a run did and how long things took, from its evidence. Pure. */
export function figuresOf({
  evidence,
  judgement,
  epochMs,
}: Pick<RunResult, 'evidence' | 'judgement' | 'epochMs'>) {
  const { operations, receipts, faults, deaths } = evidence;
  const byRule = [...grouped(judgement.violations, ({ rule }) => rule)];
  const countOf = (rule: string): number => byRule.find(([name]) => name === rule)?.[1].length ?? 0;
  const repeats =
    receipts.length -
    new Set(receipts.map(({ endpoint, eventId }) => `${endpoint} ${eventId}`)).size;
  return {
    counts: {
      operations: operations.length,
      requests: new Set(ofKind(evidence, 'invoked').map(({ request }) => request)).size,
      answered: ofKind(evidence, 'answered').length,
      refused: ofKind(evidence, 'refused').length,
      unknown: ofKind(evidence, 'unknown').length,
      entries: evidence.entries.length,
      webhooks: receipts.length,
      repeats,
      duplicatesPerThousand: per(repeats, receipts.length),
      deliveriesPutOff: evidence.deliveries.filter(({ status }) => status === 'pending').length,
      samples: evidence.samples.length,
      kills:
        faults.filter(({ kind, strikes }) => /kill|crash/.test(kind) && strikes > 0).length +
        deaths.length,
      deaths: deaths.length,
    },
    judged: {
      lost: countOf('accepted operations exist'),
      doubled: countOf('one id per key') + countOf('one operation per key'),
      wrongEffects:
        countOf("an operation's effect is that of its final state") +
        countOf("an operation's payments are those of its final state"),
      drift:
        countOf('money is conserved while things break') +
        countOf('a balance is the fold of its entries'),
      outOfOrder:
        countOf('operations of a line settle in the order of acceptance') +
        countOf('nothing is refused for want of what was accepted before it'),
      needsAttention: countOf('nothing needs a human'),
      late: countOf('operations end in time') + countOf('accepted operations end'),
    },
    byStatus: countsBy(operations, ({ type, status }) => `${type} ${status}`),
    unknownOf: unknownOf(evidence),
    accept: { calm: acceptIn(evidence, calmOf(evidence)), all: acceptIn(evidence, () => true) },
    faults: faultFigures(evidence, epochMs),
    rest: restOf(evidence),
    byRule: byRule.map(([rule, found]) => ({ rule, count: found.length })),
    struck: faults,
  };
}

function per(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((part / whole) * 1_000);
}

function countsBy<T>(
  list: readonly T[],
  keyOf: (one: T) => string,
): Readonly<Record<string, number>> {
  const counts = [...grouped(list, keyOf)].map(([key, own]): [string, number] => [key, own.length]);
  return Object.fromEntries(counts.sort(([a], [b]) => a.localeCompare(b)));
}

/** Keys without an answer at first, and how many of them had been taken all the same. */
function unknownOf(evidence: Evidence): { readonly keys: number; readonly applied: number } {
  const first = new Map<string, string>();
  for (const event of evidence.history) {
    if (event.kind !== 'unknown' && event.kind !== 'answered') continue;
    if (!first.has(event.key)) first.set(event.key, event.kind);
  }
  const keys = [...first].filter(([, kind]) => kind === 'unknown').map(([key]) => key);
  // Applied by the request without an answer: the next answer then is a replay.
  const replayed = new Map<string, boolean>();
  for (const { key, isReplay } of ofKind(evidence, 'answered')) {
    if (!replayed.has(key)) replayed.set(key, isReplay);
  }
  return { keys: keys.length, applied: keys.filter((key) => replayed.get(key) === true).length };
}

type When = (fromMs: number, toMs: number) => boolean;

/** Milliseconds from the sending to the answer of requests that got one. */
function acceptIn(evidence: Evidence, when: When) {
  const sentAt = new Map(ofKind(evidence, 'invoked').map(({ request, atMs }) => [request, atMs]));
  const took = ofKind(evidence, 'answered').flatMap(({ request, atMs }) => {
    const fromMs = sentAt.get(request);
    return fromMs !== undefined && when(fromMs, atMs) ? [atMs - fromMs] : [];
  });
  return {
    answers: took.length,
    p50: quantile(took, 0.5),
    p99: quantile(took, 0.99),
    spread: spreadOf(took),
  };
}

const isDuring =
  ({ struckAtMs, healedAtMs }: StruckFault): When =>
  (fromMs, toMs) =>
    toMs >= struckAtMs && fromMs <= healedAtMs;

function calmOf({ faults, healedAtMs }: Evidence): When {
  return (fromMs, toMs) =>
    toMs < healedAtMs && !faults.some((fault) => isDuring(fault)(fromMs, toMs));
}

/** From the last heal of all, until what was open then was over. */
function restOf({ settledAtMs, healedAtMs, endedAtMs }: Evidence) {
  const took = [...settledAtMs.values()].map((atMs) => atMs - healedAtMs);
  return { afterMs: Math.round(endedAtMs - healedAtMs), spread: spreadOf(took) };
}

/** Per kind: what it befell, how fast requests were answered meanwhile, how long the rest took. */
function faultFigures(evidence: Evidence, epochMs: number) {
  return [...grouped(evidence.faults, ({ kind }) => kind)]
    .map(([kind, own]) => {
      const healing = own.flatMap((fault) => healTimes(evidence, fault, epochMs));
      const accept = acceptIn(evidence, (fromMs, toMs) =>
        own.some((one) => isDuring(one)(fromMs, toMs)),
      );
      return {
        kind,
        times: own.length,
        strikes: own.reduce((sum, { strikes }) => sum + strikes, 0),
        accept,
        healed: {
          operations: healing.length,
          p50: quantile(healing, 0.5),
          p99: quantile(healing, 0.99),
          max: quantile(healing, 1),
          spread: spreadOf(healing),
        },
      };
    })
    .sort((a, b) => a.kind.localeCompare(b.kind));
}

/** From the end of a fault, and of those that overlapped it, until what was open then was over. */
function healTimes(
  { operations, faults }: Evidence,
  fault: StruckFault,
  epochMs: number,
): readonly number[] {
  const healedAt = epochMs + endOfEpisode(fault, faults);
  return operations.flatMap(({ status, createdAt, completedAt }) => {
    if (!isOver(status) || completedAt === undefined) return [];
    const isOpen = createdAt.getTime() < healedAt && completedAt.getTime() > healedAt;
    return isOpen ? [completedAt.getTime() - healedAt] : [];
  });
}

function endOfEpisode(fault: StruckFault, all: readonly StruckFault[]): number {
  const { struckAtMs } = fault;
  let endMs = fault.healedAtMs;
  for (let before = -1; before !== endMs;) {
    before = endMs;
    const together = all.filter((one) => one.struckAtMs <= endMs && one.healedAtMs >= struckAtMs);
    endMs = Math.max(...together.map(({ healedAtMs }) => healedAtMs));
  }
  return endMs;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const index = Math.min(sorted.length - 1, Math.floor(sorted.length * share));
  return Math.round(sorted[index] ?? 0);
}
