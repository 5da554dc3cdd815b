import { describe, expect, it } from 'vitest';
import {
  describeSlowest,
  formatSummary,
  summarise,
} from '../../../scripts/dev/servers/test-summary.ts';

function report(counts: Record<string, unknown>): string {
  return JSON.stringify({
    ...{ numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0 },
    testResults: [],
    ...counts,
  });
}

describe('the last line of npm test', () => {
  it('counts what passed and failed', () => {
    const summary = summarise(report({ numPassedTests: 12, numFailedTests: 2 }), 1);
    expect(formatSummary(summary)).toBe('12 passed, 2 failed');
  });

  it('names skipped tests only when there are some', () => {
    const summary = summarise(
      report({ numPassedTests: 1, numPendingTests: 2, numTodoTests: 1 }),
      0,
    );
    expect(formatSummary(summary)).toBe('1 passed, 0 failed, 3 skipped');
  });

  it('counts a file that could not be loaded as a failure', () => {
    const testResults = [
      { status: 'failed', assertionResults: [] },
      { status: 'failed', assertionResults: [] },
      { status: 'passed', assertionResults: [{}] },
    ];
    const summary = summarise(report({ numPassedTests: 1, testResults }), 1);
    expect(formatSummary(summary)).toBe('1 passed, 2 failed');
  });

  it.each([
    ['no report', undefined],
    ['half a report', '{"numPassedTests":'],
    ['a report without a failure', report({ numPassedTests: 3 })],
  ])('never says that nothing failed when the run failed: %s', (_, text) => {
    expect(summarise(text, 1).failed).toBe(1);
  });
});

describe('where the time of a run went', () => {
  const file = (name: string, seconds: number): Record<string, unknown> => ({
    ...{ name: `/tree/tests/${name}.test.ts`, status: 'passed', assertionResults: [{}] },
    ...{ startTime: 1_000, endTime: 1_000 + seconds * 1_000 },
  });
  const testResults = [file('a', 1), file('b', 12.34), file('c', 0.5), file('d', 2)];

  it('names the slowest files, the slowest first', () => {
    expect(describeSlowest(report({ testResults }), { root: '/tree', count: 2 })).toBe(
      '• the 2 slowest of 4 files\n    12.3 s  tests/b.test.ts\n     2.0 s  tests/d.test.ts',
    );
  });

  it.each([
    ['a few files', report({ testResults })],
    ['no report', undefined],
  ])('says nothing of %s', (_, text) => {
    expect(describeSlowest(text, { root: '/tree', count: 4 })).toBeUndefined();
  });
});
