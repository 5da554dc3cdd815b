import { describe, expect, it } from 'vitest';
import { FAULT_KINDS, kindsNamed } from '../../chaos/nemesis/catalog.ts';
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
