import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../../core/kernel/clock.ts';
import { startChores } from '../../../../core/recovery/chores.ts';
import { until } from '../../../support/wait.ts';

describe('chores', () => {
  it('go on each by itself: one that fails is named, and holds up no other', async () => {
    const failed: string[] = [];
    let good = 0;
    let bad = 0;
    const onError = (_err: unknown, chore: string) => failed.push(chore);
    const stop = startChores({ clock: systemClock, random: () => 0.5, onError }, [
      {
        name: 'bad',
        intervalMs: 1,
        run: async () => {
          bad += 1;
          throw new Error('it fails');
        },
      },
      {
        name: 'good',
        intervalMs: 1,
        jitterMs: 2,
        run: async () => {
          good += 1;
        },
      },
    ]);
    await until(() => good > 3 && bad > 3, 'both have run again and again');
    await stop();
    expect(new Set(failed)).toEqual(new Set(['bad']));
    expect(failed).toHaveLength(bad);
  });

  it('are stopped only when what is under way is over', async () => {
    let isUnderWay = false;
    let release: () => void = () => undefined;
    const over = new Promise<void>((resolve) => {
      release = resolve;
    });
    const onError = () => undefined;
    const stop = startChores({ clock: systemClock, random: () => 0.5, onError }, [
      {
        name: 'long',
        intervalMs: 1,
        run: async () => {
          isUnderWay = true;
          await over;
          isUnderWay = false;
        },
      },
    ]);
    await until(() => isUnderWay, 'it has begun');
    const stopped = stop().then(() => isUnderWay);
    release();
    expect(await stopped).toBe(false);
  });
});
