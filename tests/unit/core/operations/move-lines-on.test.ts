import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../config/limits.ts';
import { moveLinesOn } from '../../../../core/operations/move-lines-on.ts';
import { createLogger } from '../../../../core/telemetry/logger.ts';

/** Lines whose server is away for the first so many calls. */
function awayFor(calls: number) {
  const asked: (readonly string[])[] = [];
  const slept: number[] = [];
  const deps = {
    lines: {
      moveOn: async (lines: readonly string[]) => {
        asked.push(lines);
        if (asked.length <= calls) throw new Error('away');
      },
    },
    clock: {
      sleep: async (ms: number) => {
        slept.push(ms);
      },
    },
    logger: createLogger({ level: 'silent', service: 'test' }),
  };
  return { deps, asked, slept };
}

describe('who waits behind what has ended', () => {
  it('is let in when a server was away for a moment, not half a minute later', async () => {
    const { deps, asked, slept } = awayFor(2);
    moveLinesOn(deps, ['default|u:ada']);
    await expect.poll(() => asked.length).toBe(3);
    expect(asked).toEqual(Array.from({ length: 3 }, () => ['default|u:ada']));
    expect(slept).toEqual([LIMITS.lineMovePauseMs, LIMITS.lineMovePauseMs * 2]);
  });
  it('is left to recovery after a few tries, and nobody hears of it', async () => {
    const { deps, asked } = awayFor(Number.POSITIVE_INFINITY);
    moveLinesOn(deps, ['default|u:ada']);
    await expect.poll(() => asked.length).toBe(LIMITS.lineMoveTries);
  });
  it('costs nothing where nothing has ended', () => {
    const { deps, asked } = awayFor(0);
    moveLinesOn(deps, []);
    expect(asked).toEqual([]);
  });
});
