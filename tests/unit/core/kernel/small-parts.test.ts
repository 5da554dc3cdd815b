import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fullJitterMs } from '../../../../core/kernel/backoff.ts';
import {
  FAILPOINTS,
  type FailpointName,
  killingFailpoint,
  noFailpoint,
} from '../../../../core/kernel/failpoint.ts';
import { ok, refuse } from '../../../../core/kernel/result.ts';
import { supervise } from '../../../../core/kernel/supervise.ts';
import { check } from '../../../support/property.ts';

describe('full-jitter backoff', () => {
  it('stays above zero and below both the cap and the exponential', () => {
    const property = fc.property(
      fc.nat({ max: 10_000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (attempt, draw) => {
        const ms = fullJitterMs(attempt, { baseMs: 50, capMs: 2_000, random: () => draw });
        expect(ms).toBeGreaterThanOrEqual(1);
        expect(ms).toBeLessThanOrEqual(Math.min(2_000, 50 * 2 ** attempt));
        expect(Number.isInteger(ms)).toBe(true);
      },
    );
    check('backoff', property);
  });

  it('spreads over the whole range', () => {
    const at = (draw: number) =>
      fullJitterMs(3, { baseMs: 100, capMs: 10_000, random: () => draw });
    expect([at(0), at(0.5), at(0.999)]).toEqual([1, 400, 799]);
  });
});

describe('failpoints', () => {
  const killsOf = async (spec: string, passes: readonly FailpointName[]): Promise<number[]> => {
    const kills: number[] = [];
    let pass = 0;
    const failpoint = killingFailpoint(spec, () => kills.push(pass));
    for (const name of passes) {
      pass += 1;
      await failpoint(name);
    }
    return kills.slice(0, 1);
  };

  it('kill at the first pass, or at the N-th, and only where they were asked to', async () => {
    const commit = 'settle.before-commit';
    const publish = 'settle.after-publish';
    expect(await killsOf(commit, [publish, commit, commit])).toEqual([2]);
    expect(await killsOf(`${commit}@3`, [commit, publish, commit, commit])).toEqual([4]);
    expect(await killsOf(`${commit}@9, ${publish}`, [commit, publish])).toEqual([2]);
    expect(await killsOf(`${commit}@3`, [commit, commit])).toEqual([]);
  });

  it('refuse a misspelt name or count, so that no test passes by doing nothing', () => {
    const specs = ['settle.befor-commit', '', 'settle.before-commit,', 'settle.before-commit@x'];
    for (const spec of [...specs, 'settle.before-commit@0', 'settle.before-commit@-1']) {
      expect(() => killingFailpoint(spec, () => undefined), spec).toThrow();
    }
  });

  it('do nothing in production', () => {
    for (const name of FAILPOINTS) expect(noFailpoint(name)).toBeUndefined();
  });
});

describe('results', () => {
  it('carry the value or the failure, with pointers only when there are some', () => {
    expect(ok(1)).toEqual({ ok: true, value: 1 });
    expect(refuse('internal', 'x')).toEqual({
      ok: false,
      failure: { code: 'internal', detail: 'x' },
    });
    const errors = [{ pointer: '/a', detail: 'b' }];
    expect(refuse('internal', 'x', errors).failure.errors).toBe(errors);
  });
});

describe('supervise', () => {
  it('hands a failure over instead of leaving it unhandled', async () => {
    const failure = new Error('alone');
    const told = new Promise((resolve) => {
      supervise(Promise.reject(failure), resolve);
    });
    expect(await told).toBe(failure);
  });
});
