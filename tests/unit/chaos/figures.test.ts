import { describe, expect, it } from 'vitest';
import { NOTHING_YET } from '../../chaos/checker/enough.ts';
import { judge } from '../../chaos/checker/check.ts';
import type { Evidence } from '../../chaos/checker/evidence.ts';
import { figuresOf } from '../../chaos/report/figures.ts';
import { idOf, soundEvidence } from './sound-evidence.ts';

const BEGIN = Date.parse('2026-01-01T00:00:00Z');

const figures = (evidence: Evidence) =>
  figuresOf({ evidence, judgement: judge(evidence, NOTHING_YET, NOTHING_YET), epochMs: BEGIN });

describe('the figures of a run', () => {
  it('count requests, repeats of webhooks and what was judged', () => {
    const sound = soundEvidence();
    const [first] = sound.receipts;
    const receipts = first === undefined ? [] : [...sound.receipts, first];
    const operations = sound.operations.filter(({ id }) => id !== idOf(5));
    const { counts, judged } = figures({ ...sound, receipts, operations });
    expect(counts).toMatchObject({
      operations: 5,
      requests: 6,
      kills: 1,
      duplicatesPerThousand: 143,
    });
    expect(judged).toMatchObject({ lost: 1, doubled: 0, outOfOrder: 0, late: 0 });
  });

  it('measure healing from the end of what overlapped, for every kind of the episode', () => {
    const sound = soundEvidence();
    const fault = { target: 'x', strikes: 1 };
    const faults = [
      { ...fault, id: 'f1', kind: 'a', struckAtMs: 0, healedAtMs: 1_500 },
      { ...fault, id: 'f2', kind: 'b', struckAtMs: 1_000, healedAtMs: 5_100 },
      { ...fault, id: 'f3', kind: 'c', struckAtMs: 90_000, healedAtMs: 91_000 },
    ];
    // The last one was created at 5.0 s and is over at 5.5 s.
    const healed = figures({ ...sound, faults }).faults.map(
      ({ kind, healed: { operations, max } }) => ({
        kind,
        operations,
        max,
      }),
    );
    expect(healed).toEqual([
      { kind: 'a', operations: 1, max: 400 },
      { kind: 'b', operations: 1, max: 400 },
      { kind: 'c', operations: 0, max: 0 },
    ]);
  });

  it('tell how many keys without a first answer had been taken', () => {
    const sound = soundEvidence();
    const history = sound.history.map((event) =>
      event.kind === 'answered' && event.key === 'a0-1' ? { ...event, isReplay: true } : event,
    );
    const lost = { request: 77, key: 'a0-1', api: 'api-2', atMs: 1_010, reason: 'cut' } as const;
    const at = history.findIndex((event) => event.kind === 'answered' && event.key === 'a0-1');
    history.splice(at, 0, { kind: 'unknown', ...lost });
    expect(figures({ ...sound, history }).unknownOf).toEqual({ keys: 1, applied: 1 });
  });
});
