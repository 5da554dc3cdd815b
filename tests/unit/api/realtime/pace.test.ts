import { describe, expect, it } from 'vitest';
import { createGate, createPace } from '../../../../api/realtime/pace.ts';
import { type Clock, systemClock } from '../../../../core/kernel/clock.ts';
import { allOf } from '../../../../core/kernel/every.ts';

function clockOfTest(): Clock & { work(ms: number): void; readonly rests: number[] } {
  let now = 0;
  const rests: number[] = [];
  return {
    ...systemClock,
    monotonicMs: () => now,
    sleep: async (ms) => {
      rests.push(ms);
      now += ms;
      return Promise.resolve();
    },
    work: (ms) => {
      now += ms;
    },
    rests,
  };
}

describe('sending history to many who come back at once', () => {
  it('takes no more than half of the time from others, however much there is of it', async () => {
    const clock = clockOfTest();
    const pace = createPace({ clock, sliceMs: 5, stopping: new AbortController().signal });
    const work = Array.from({ length: 300 }, () =>
      pace(() => {
        clock.work(2);
      }),
    );
    await Promise.all(work);
    expect(clock.rests).toHaveLength(99); // before every third of them
    expect(allOf(clock.rests, (ms) => ms === 6)).toBe(true);
    expect(clock.monotonicMs()).toBe(300 * 2 + 99 * 6);
  });

  it('goes on after a piece that fails', async () => {
    const pace = createPace({ clock: clockOfTest(), sliceMs: 5, stopping: AbortSignal.abort() });
    const failed = pace(() => {
      throw new Error('no');
    });
    const next = pace(() => 'yes');
    await expect(failed).rejects.toThrow('no');
    expect(await next).toBe('yes');
  });
});

describe('a gate', () => {
  it('never lets in more than it may, also when somebody comes as another leaves', async () => {
    const gate = createGate(2);
    let running = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
    };
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        await gate(work);
        await gate(work);
      }),
    );
    expect(most).toBe(2);
  });
});
