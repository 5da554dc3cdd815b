import { describe, expect, it } from 'vitest';
import { judge } from '../../chaos/checker/check.ts';
import { NOTHING_YET } from '../../chaos/checker/enough.ts';
import type { Evidence } from '../../chaos/checker/evidence.ts';
import { soundLine } from './sound-evidence.ts';

/** Its list, and how often any field of any of its members has been read. */
function counted<T extends object>(list: readonly T[], count: () => void): readonly T[] {
  const handler: ProxyHandler<T> = {
    get: (target, name, receiver) => {
      count();
      return Reflect.get(target, name, receiver) as unknown;
    },
  };
  return list.map((one) => new Proxy(one, handler));
}

function readsPerOperation(evidence: Evidence): number {
  let reads = 0;
  const count = (): void => {
    reads += 1;
  };
  const watched: Evidence = {
    ...evidence,
    history: counted(evidence.history, count),
    operations: counted(evidence.operations, count),
    entries: counted(evidence.entries, count),
    receipts: counted(evidence.receipts, count),
  };
  expect(judge(watched, NOTHING_YET, NOTHING_YET)).toMatchObject({ violations: [] });
  return reads / evidence.operations.length;
}

describe('the checker', () => {
  it('costs no more for each operation when there are ten times as many in one line', () => {
    const few = readsPerOperation(soundLine(100));
    const many = readsPerOperation(soundLine(1_000));
    expect(few).toBeGreaterThan(20);
    expect(many).toBeLessThan(few * 1.2);
  });
});
