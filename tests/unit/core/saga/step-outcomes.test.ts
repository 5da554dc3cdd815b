import { describe, expect, it } from 'vitest';
import { outcomesBetween } from '../../../../core/saga/step-outcomes.ts';
import type { StepRecord, StepStatus } from '../../../../core/operations/step-record.ts';

const record = (name: string, status: StepStatus, attempt = 1): StepRecord => ({
  name,
  status,
  attempt,
  epoch: 1,
  startedAt: new Date(0),
});

describe('what came of the steps of a saga', () => {
  it('is counted once, when it comes, and a beginning is none', () => {
    const started = [record('hold', 'done'), record('pay', 'started')];
    const unsure = [record('hold', 'done'), record('pay', 'unsure')];
    expect(outcomesBetween([record('hold', 'done')], started)).toEqual([]);
    expect(outcomesBetween(started, unsure)).toEqual([{ step: 'pay', outcome: 'unsure' }]);
    expect(outcomesBetween(unsure, unsure)).toEqual([]);
  });

  it('is counted again for another attempt with the same end', () => {
    const again = [record('pay', 'unsure', 2)];
    expect(outcomesBetween([record('pay', 'unsure')], again)).toEqual([
      { step: 'pay', outcome: 'unsure' },
    ]);
  });

  it('is also that a step was taken back', () => {
    expect(outcomesBetween([record('hold', 'undoing')], [record('hold', 'undone')])).toEqual([
      { step: 'hold', outcome: 'undone' },
    ]);
  });
});
