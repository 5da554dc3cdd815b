import { describe, expect, it } from 'vitest';
import { sumMarkdownOf } from '../../chaos/report/sum-markdown.ts';
import { type RunPart, sumReports } from '../../chaos/report/sum.ts';
import { quantileOf, sizeOf, spreadOf, sumSpreads } from '../../chaos/report/spread.ts';

const NOTHING = { answers: 0, p50: 0, p99: 0, spread: [] };

function run(seed: string, change: Partial<RunPart> = {}): RunPart {
  return {
    seed,
    verdict: 'sound',
    startedAt: '2026-01-01T00:00:00.000Z',
    settings: {
      ...{ minutes: 6, timing: 'production', rate: 120, actors: 8, openMax: 100, users: 16 },
      ...{ kills: 'often', calmS: 45, tree: '/x', schedule: undefined, boundMs: 45_000 },
    },
    versions: { node: 'v22', commit: 'abc1234', mongodb: '7', redis: '7' },
    machine: { cores: 2, model: 'EPYC', memoryGb: 8, load: [1, 1, 1] },
    load: { mean: 2, max: 5 },
    counts: {
      ...{ operations: 100, requests: 80, answered: 90, refused: 1, unknown: 3, entries: 300 },
      ...{ webhooks: 200, repeats: 4, duplicatesPerThousand: 20, deliveriesPutOff: 0 },
      ...{ samples: 60, kills: 7, deaths: 2 },
    },
    judged: {
      ...{ lost: 0, doubled: 0, wrongEffects: 0, drift: 0 },
      ...{ outOfOrder: 0, needsAttention: 0, late: 0 },
    },
    accept: { calm: NOTHING, all: NOTHING },
    rest: { afterMs: 0, spread: [] },
    faults: [],
    ...change,
  };
}

const fault = (accept: readonly number[], healed: readonly number[]) => ({
  ...{ kind: 'kill-worker', times: 1, strikes: 1 },
  accept: { ...NOTHING, spread: spreadOf(accept) },
  healed: { operations: healed.length, p50: 0, p99: 0, max: 0, spread: spreadOf(healed) },
});

describe('the sum of many runs', () => {
  it('adds up what was done and what was judged, over all seeds', () => {
    const broken = run('2', {
      verdict: 'broken',
      judged: { ...run('2').judged, lost: 2, late: 1 },
      load: { mean: 4, max: 9 },
    });
    const sum = sumReports([run('1'), broken, run('3')]);
    expect(sum).toMatchObject({
      runs: 3,
      seeds: ['1', '2', '3'],
      minutes: 18,
      verdicts: { sound: 2, broken: 1 },
      counts: { operations: 300, kills: 21, faults: 0 },
      judged: { lost: 2, late: 1, drift: 0 },
      load: { mean: 2.7, max: 9 },
      duplicatesPerThousand: 20,
    });
  });

  it('takes quantiles of all values, not of quantiles', () => {
    const quick = run('1', { faults: [fault([10, 20, 30], [1_000])] });
    const slow = run('2', { faults: [fault([4_000], [44_000])] });
    const [kind] = sumReports([quick, slow]).kinds;
    expect(kind).toMatchObject({
      ...{ kind: 'kill-worker', times: 2, strikes: 2 },
      accept: { count: 4, p50: 20, p99: 4_000 },
      healed: { count: 2, p50: 1_000, max: 44_000 },
    });
  });

  it('measures no repair where the next fault comes before it can be over', () => {
    const { settings } = run('1');
    const hasty = run('1', {
      settings: { ...settings, calmS: 2 },
      faults: [fault([5], [90_000])],
    });
    const [kind] = sumReports([hasty]).kinds;
    expect(kind).toMatchObject({ accept: { count: 1 }, healed: { count: 0, max: 0 } });
  });

  it('is written for a person, with a row for every kind', () => {
    const text = sumMarkdownOf(sumReports([run('1', { faults: [fault([1_234], [2_000])] })]));
    expect(text).toContain('1 runs, 6 minutes of faults, 1 seeds: sound (1)');
    expect(text).toContain('| kill-worker | 1 | 1 | 1,200 | 1 | 2.0 | 2.0 | 2.0 |');
    expect(text).toContain('| out of order | 0 |');
  });

  it('of nothing is nothing', () => {
    expect(sumReports([])).toMatchObject({ runs: 0, counts: { operations: 0 }, kinds: [] });
  });
});

describe('a spread', () => {
  it('keeps how many there are, within five hundredths of what they were', () => {
    const values = Array.from({ length: 999 }, (_, index) => (index + 1) * 7);
    const spread = spreadOf(values);
    expect(sizeOf(spread)).toBe(999);
    expect(spread.length).toBeLessThan(300);
    expect(Math.abs(quantileOf(spread, 0.5) - 3_500)).toBeLessThanOrEqual(175);
    expect(quantileOf(sumSpreads([spread, spreadOf([80_000])]), 1)).toBe(80_000);
  });
});
