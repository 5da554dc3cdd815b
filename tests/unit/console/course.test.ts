import { describe, expect, it } from 'vitest';
import { courseOf } from '../../../console/src/pure/course.ts';
import { groupsOf } from '../../../console/src/pure/groups.ts';
import { agoText, durationText } from '../../../console/src/pure/time.ts';
import type { Operation, Step } from '../../../console/src/types.ts';

const at = (seconds: number): string => new Date(seconds * 1_000).toISOString();
const operation = (over: Partial<Operation>): Operation => ({
  id: 'op_1',
  type: 'deposit',
  status: 'succeeded',
  idempotencyKey: 'k',
  correlationId: 'c',
  createdAt: at(0),
  ...over,
});
const step = (over: Partial<Step>): Step => ({
  name: 'authorise',
  status: 'done',
  attempt: 1,
  startedAt: at(0),
  ...over,
});

describe('the course of an operation', () => {
  it('is its steps over its time', () => {
    const steps = [
      step({ startedAt: at(2), finishedAt: at(4) }),
      step({ name: 'capture', startedAt: at(5), finishedAt: at(10), attempt: 3 }),
    ];
    expect(courseOf(operation({ steps, completedAt: at(10) }), 0)).toEqual([
      {
        ...{ name: 'authorise', status: 'done', note: '', ms: 2_000 },
        bars: [{ from: 20, length: 20, kind: 'done' }],
      },
      {
        ...{ name: 'capture', status: 'done', note: 'attempt 3', ms: 5_000 },
        bars: [{ from: 50, length: 50, kind: 'done' }],
      },
    ]);
  });

  it('shows what was taken back behind what was done', () => {
    const steps = [step({ startedAt: at(0), finishedAt: at(5), undoAttempt: 1, undoneAt: at(10) })];
    const [row] = courseOf(operation({ steps, status: 'compensated', completedAt: at(10) }), 0);
    expect(row).toMatchObject({
      status: 'undone',
      note: 'taken back at attempt 1',
      bars: [
        { from: 0, length: 50, kind: 'done' },
        { from: 50, length: 50, kind: 'undone' },
      ],
    });
  });

  it('goes on until now while it is open, and is seen however short', () => {
    const [waiting] = courseOf(operation({ status: 'accepted' }), 4_000);
    expect(waiting).toMatchObject({ note: 'waits for its turn', ms: 4_000 });
    const steps = [step({ startedAt: at(0), finishedAt: at(0) })];
    const [short] = courseOf(operation({ steps, completedAt: at(1_000) }), 0);
    expect(short?.bars[0]?.length).toBe(0.8);
  });
});

describe('the inbox', () => {
  it('has one group a type and code, the largest first', () => {
    const of = (id: string, code: string): Operation =>
      operation({ id, error: { type: '', title: '', code, detail: `${code} ${id}` } });
    const groups = groupsOf([of('a', 'internal'), of('b', 'outcome_unknown'), of('c', 'internal')]);
    expect(groups.map(({ code, detail, items }) => [code, detail, items.length])).toEqual([
      ['internal', 'internal a', 2],
      ['outcome_unknown', 'outcome_unknown b', 1],
    ]);
  });
});

describe('times', () => {
  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [1_000, '1 s'],
    [61_000, '1 min 1 s'],
    [3_600_000, '1 h'],
    [90_000_000, '1 d 1 h'],
  ])('%d ms are %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });

  it('are told from now', () => {
    expect(agoText(0, 500)).toBe('now');
    expect(agoText(0, 65_000)).toBe('1 min 5 s ago');
    expect(agoText(9_000, 0)).toBe('in 9 s');
  });
});
