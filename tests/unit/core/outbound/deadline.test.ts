import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { startDeadline } from '../../../../core/outbound/deadline.ts';
import { until } from '../../../support/wait.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Waits while everything that nobody holds is collected again and again. */
async function firesUnderCollection(start: () => AbortSignal): Promise<void> {
  let fired = 0;
  const listen = (): void => {
    start().addEventListener('abort', () => {
      fired += 1;
    });
  };
  listen();
  await until(() => {
    collect();
    return fired > 0;
  }, 'the deadline');
}

describe('a deadline', () => {
  it('fires though nobody holds it', async () => {
    const caller = new AbortController().signal;
    await firesUnderCollection(() => startDeadline(caller, 200).signal);
  });

  it('fires with the one it was made from, though nobody holds that', async () => {
    await firesUnderCollection(() => startDeadline(AbortSignal.timeout(200), 60_000).signal);
  });

  it('has passed when the other one has', () => {
    expect(startDeadline(AbortSignal.abort(), 60_000).signal.aborted).toBe(true);
  });

  it('listens no more when it is released', () => {
    const caller = new AbortController();
    const deadline = startDeadline(caller.signal, 60_000);
    deadline.release();
    caller.abort();
    expect(deadline.signal.aborted).toBe(false);
  });
});
