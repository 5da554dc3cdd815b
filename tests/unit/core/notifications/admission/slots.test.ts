import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../../config/limits.ts';
import {
  type SlotRequest,
  type SlotTurn,
  createSlots,
} from '../../../../../core/notifications/admission/slots.ts';

/** Slots on a clock that is moved by hand. */
function open() {
  let nowMs = 1_000;
  const timers: { readonly atMs: number; readonly run: () => void }[] = [];
  const after = (ms: number, run: () => void): void => {
    timers.push({ atMs: nowMs + ms - 0.4, run }); // as Node's are, now and then
  };
  let state = 1;
  const random = (): number => {
    state = (state * 16_807) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  const clock = { monotonicMs: () => nowMs, after };
  const places = createSlots({ clock, random });
  const pass = async (ms: number): Promise<void> => {
    const endMs = nowMs + ms;
    for (;;) {
      await new Promise(setImmediate);
      let due = timers[0];
      for (const timer of timers) if (due !== undefined && timer.atMs < due.atMs) due = timer;
      if (due === undefined || due.atMs > endMs) break;
      nowMs = Math.max(nowMs, due.atMs);
      timers.splice(timers.indexOf(due), 1);
      due.run();
    }
    nowMs = endMs;
  };
  const request = (key: string): SlotRequest => ({
    ...{ key, channel: 'webhook', room: () => 2, paceMsMin: 0, isFirst: false },
    deadlineMs: nowMs + LIMITS.deliveryWaitMs,
  });
  const take = (key: string) => {
    const seen: { turn?: SlotTurn } = {};
    const done = places.take(request(key)).then((turn) => {
      seen.turn = turn;
    });
    return { seen, done };
  };
  return { places, take, pass, after };
}

describe('places at a host', () => {
  it('are given in the order of asking, one for each that becomes free', async () => {
    const { places, take, pass } = open();
    const asked = Array.from({ length: 4 }, () => take('a'));
    await pass(1);
    expect(asked.map(({ seen }) => seen.turn?.kind)).toEqual([
      'turn',
      'turn',
      undefined,
      undefined,
    ]);
    places.giveBack('a');
    await pass(1);
    expect(asked.map(({ seen }) => seen.turn?.kind)).toEqual(['turn', 'turn', 'turn', undefined]);
  });

  it('are waited for by a burst to a host whose first answers take a moment', async () => {
    const { take, pass } = open();
    const first = [take('slow'), take('slow')];
    await pass(100);
    const burst = Array.from({ length: 150 }, () => take('slow'));
    await pass(1);
    expect(first.map(({ seen }) => seen.turn?.kind)).toEqual(['turn', 'turn']);
    expect(burst.filter(({ seen }) => seen.turn !== undefined)).toEqual([]);
  });

  it('are not counted as soon free at a host that never answers, or nobody else is fetched for', async () => {
    const { places, take, pass } = open();
    const asked = Array.from({ length: 150 }, () => take('hole'));
    await pass(1);
    expect(asked.filter(({ seen }) => seen.turn?.kind === 'turn')).toHaveLength(2);
    expect(places.standing('webhook', 500)).toEqual({ all: 150, soon: 148 });
    await pass(1_500);
    const { all, soon } = places.standing('webhook', 500);
    expect(all).toBeGreaterThan(100);
    expect(soon).toBeLessThan(2);
  });

  it('are waited for by no more than a line, and for no longer than is allowed', async () => {
    const { take, pass } = open();
    const asked = Array.from({ length: 2 + LIMITS.deliveryLineMax + 5 }, () => take('stuck'));
    await pass(1);
    const busy = () => asked.filter(({ seen }) => seen.turn?.kind === 'busy').length;
    expect(busy()).toBe(5);
    await pass(LIMITS.deliveryWaitMs);
    expect(busy()).toBe(LIMITS.deliveryLineMax + 5);
  });

  it('at one host are not held up by another that is stuck', async () => {
    const { take, pass } = open();
    for (let count = 0; count < 1_000; count += 1) take('stuck');
    const other = take('well');
    await pass(1);
    expect(other.seen.turn).toEqual({ kind: 'turn' });
  });

  it.each([200, 20])('are found after few returns: calls of %s ms', async (callMs) => {
    const { places, take, pass, after } = open();
    const jobs = 1_000;
    let looks = 0;
    let done = 0;
    const start = (): void => {
      work().catch(() => undefined);
    };
    const work = async (): Promise<void> => {
      looks += 1;
      const one = take('slow');
      await one.done;
      const { turn } = one.seen;
      if (turn?.kind === 'busy') after(turn.waitMs, start);
      else {
        after(callMs, () => {
          done += 1;
          places.giveBack('slow');
        });
      }
    };
    for (let job = 0; job < jobs; job += 1) start();
    const idealMs = (jobs / 2) * callMs;
    await pass(idealMs * 1.25);
    expect(done).toBe(jobs);
    expect(looks / jobs).toBeLessThan(2 * Math.log2(jobs));
  });

  it('go to one at a time, in a line that has been slowed', async () => {
    const { places, take, pass } = open();
    const asked = Array.from({ length: 5 }, () => take('a'));
    await pass(1);
    places.slow('a', 100);
    places.giveBack('a');
    places.giveBack('a');
    await pass(50);
    const turns = () => asked.filter(({ seen }) => seen.turn?.kind === 'turn').length;
    expect(turns()).toBe(2);
    await pass(100);
    expect(turns()).toBe(3);
    places.proceed('a');
    await pass(1);
    expect(turns()).toBe(4);
  });
});
