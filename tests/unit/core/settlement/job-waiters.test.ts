import { describe, expect, it } from 'vitest';
import { AppError } from '../../../../core/kernel/errors.ts';
import { createJobWaiters } from '../../../../core/settlement/job-waiters.ts';

/** What became of a promise, looked at once everything that is due has run. */
async function stateOf(promise: Promise<void>): Promise<string> {
  const pending = new Promise<string>((resolve) => setImmediate(resolve, 'waits'));
  return Promise.race([promise.then(() => 'done').catch(() => 'refused'), pending]);
}

const reading = (open: readonly string[], underWay: readonly string[] = []) => ({
  lanes: [1],
  open: open.map((_id) => ({ _id })),
  underWay: new Set(underWay),
});

describe('a job of several operations', () => {
  it('is done when the last of them is', async () => {
    const waiters = createJobWaiters();
    const job = waiters.wait(1, ['a', 'b', 'c']);
    waiters.resolve('b');
    waiters.release('c');
    expect(await stateOf(job)).toBe('waits');
    waiters.resolve('a');
    expect(await stateOf(job)).toBe('done');
  });

  it('does not wait for what was settled before it came', async () => {
    const waiters = createJobWaiters();
    waiters.resolve('a');
    const job = waiters.wait(1, ['a', 'b']);
    waiters.resolve('b');
    expect(await stateOf(job)).toBe('done');
    expect(await stateOf(waiters.wait(1, ['a', 'b']))).toBe('done');
  });

  it('and another that names the same operation are both done with it', async () => {
    const waiters = createJobWaiters();
    const jobs = [waiters.wait(1, ['a', 'b']), waiters.wait(1, ['b'])];
    waiters.resolve('b');
    expect(await Promise.all(jobs.map(stateOf))).toEqual(['waits', 'done']);
  });

  it('learns from a reading what is settled, if it waited before that and in a lane of it', async () => {
    const waiters = createJobWaiters();
    const before = waiters.wait(1, ['gone', 'open']);
    const elsewhere = waiters.wait(2, ['other']);
    const count = waiters.count();
    const after = waiters.wait(1, ['late']);
    waiters.acknowledgeGone(count, reading(['open']));
    expect(await stateOf(before)).toBe('waits');
    waiters.acknowledgeGone(count, reading([], ['open']));
    expect(await stateOf(before)).toBe('waits');
    waiters.acknowledgeGone(count, reading([]));
    expect(await Promise.all([before, elsewhere, after].map(stateOf))).toEqual([
      ...['done', 'waits', 'waits'],
    ]);
  });

  it('goes back as a whole when the process stops', async () => {
    const waiters = createJobWaiters();
    const jobs = [waiters.wait(1, ['a', 'b']), waiters.wait(2, ['c'])];
    waiters.resolve('a');
    waiters.rejectAll(new AppError('shutting_down', 'stopping'));
    expect(await Promise.all(jobs.map(stateOf))).toEqual(['refused', 'refused']);
    waiters.resolve('b'); // nobody waits any more
  });
});
