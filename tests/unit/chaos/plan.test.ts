import { describe, expect, it } from 'vitest';
import { FAULT_KINDS, kindsNamed } from '../../chaos/nemesis/catalog.ts';
import { struckBetween } from '../../chaos/nemesis/failpoint-faults.ts';
import { planFaults } from '../../chaos/nemesis/plan.ts';
import { createRandom } from '../../chaos/random.ts';
import { SCHEDULES, planOf } from '../../chaos/schedules.ts';

const MINUTES_30 = 30 * 60_000;

const plan = (seed: string, totalMs = MINUTES_30) =>
  planFaults({ kinds: FAULT_KINDS, totalMs, timing: 'production', random: createRandom(seed) });

describe('a plan of faults', () => {
  it('follows from its seed alone', () => {
    expect(plan('7')).toEqual(plan('7'));
    expect(plan('7')).not.toEqual(plan('8'));
  });

  it('has every kind in half an hour', () => {
    const planned = new Set(plan('7').map(({ kind }) => kind));
    expect(FAULT_KINDS.filter(({ name }) => !planned.has(name)).map(({ name }) => name)).toEqual(
      [],
    );
  });

  it('has faults that overlap, and never two that claim the same', () => {
    const faults = plan('9');
    const claimsOf = (kind: string, target: string): readonly string[] =>
      FAULT_KINDS.find(({ name }) => name === kind)?.claims(target) ?? [];
    let overlaps = 0;
    for (const one of faults) {
      for (const other of faults) {
        if (one.id >= other.id) continue;
        const isTogether = one.atMs < other.atMs + other.forMs && other.atMs < one.atMs + one.forMs;
        if (!isTogether) continue;
        overlaps += 1;
        const claims = claimsOf(other.kind, other.target);
        const shared = claimsOf(one.kind, one.target).filter((claim) => claims.includes(claim));
        expect(shared, `${one.id} and ${other.id}`).toEqual([]);
      }
    }
    expect(overlaps).toBeGreaterThan(faults.length / 2);
  });

  it('kills somebody every few seconds of its episodes when asked to, of its seed alone', () => {
    const often = (seed: string) =>
      planFaults({
        ...{ kinds: FAULT_KINDS, totalMs: 6 * 60_000, timing: 'production', kills: 'often' },
        random: createRandom(seed),
      });
    const isKill = ({ kind }: { readonly kind: string }): boolean => /^kill-|^crash-/.test(kind);
    for (const seed of ['11', '12', '13']) {
      const kills = often(seed).filter(isKill);
      expect(kills.length, `seed ${seed}`).toBeGreaterThanOrEqual(30);
      expect(often(seed)).toEqual(often(seed));
    }
    expect(new Set(often('11').map(({ id }) => id)).size).toBe(often('11').length);
  });

  it('leaves the time between episodes that a repair may take', () => {
    const calmMs = 45_000;
    const faults = planFaults({
      ...{ kinds: FAULT_KINDS, totalMs: MINUTES_30, timing: 'production', kills: 'often', calmMs },
      random: createRandom('14'),
    });
    let endMs = 0;
    const gaps = [...faults]
      .sort((a, b) => a.atMs - b.atMs)
      .map(({ atMs, forMs }) => {
        const gapMs = atMs - endMs;
        endMs = Math.max(endMs, atMs + forMs);
        return gapMs;
      });
    // Faults of one episode begin within 2.5 s; the shortest of them lasts one.
    const between = gaps.slice(1).filter((gapMs) => gapMs > 2_500);
    expect(between.length).toBeGreaterThan(10);
    expect(Math.min(...between)).toBeGreaterThanOrEqual(calmMs);
  });

  it('has at least one fault, however short the run is', () => {
    expect(plan('3', 1_000).length).toBeGreaterThan(0);
  });
});

describe('the fixed schedules', () => {
  it('name kinds and targets that exist', () => {
    const wrong = SCHEDULES.flatMap(planOf).filter(
      ({ kind, target }) => !kindsNamed([kind])[0]?.targets.includes(target),
    );
    expect(wrong).toEqual([]);
    expect(SCHEDULES.length).toBeGreaterThanOrEqual(10);
  });
});

describe('kinds of faults', () => {
  it('have names of their own', () => {
    expect(new Set(FAULT_KINDS.map(({ name }) => name)).size).toBe(FAULT_KINDS.length);
  });

  it('can be chosen by the beginning of their names', () => {
    expect(kindsNamed(['kill-']).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['kill-worker', 'kill-primary', 'kill-redis']),
    );
    expect(() => kindsNamed(['nonsense'])).toThrow('there is no kind of fault named nonsense');
  });
});

describe('what a failpoint befell', () => {
  it('is counted anew for a member that was killed meanwhile', () => {
    const before = [{ count: 5 }, { count: 7 }, {}];
    expect(struckBetween(before, [{ count: 9 }, { count: 2 }, { count: 1 }])).toBe(4 + 2 + 1);
  });
});
