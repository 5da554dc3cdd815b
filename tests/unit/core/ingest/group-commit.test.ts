import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../config/limits.ts';
import { createGroupCommit } from '../../../../core/ingest/group-commit.ts';

const {
  groupCommitEnough: ENOUGH,
  groupCommitSizeMax: SIZE_MAX,
  groupCommitWindowMs: WINDOW_MS,
  groupCommitPatienceMs: PATIENCE_MS,
  groupCommitsInFlightMax: IN_FLIGHT_MAX,
} = LIMITS;

/** A clock that moves when told to, and commits that land when told to. */
function openWorld() {
  let nowMs = 1_000;
  const timers: { atMs: number; run: () => void }[] = [];
  const started: (readonly number[])[] = [];
  const landings: (() => void)[] = [];
  const groups = createGroupCommit<number>({
    clock: {
      monotonicMs: () => nowMs,
      after: (ms, run) => {
        timers.push({ atMs: nowMs + ms, run });
      },
    },
    commit: async (group) => {
      started.push(group);
      await new Promise<void>((resolve) => landings.push(resolve));
    },
  });
  return {
    groups,
    started,
    sizes: () => started.map((group) => group.length),
    add: (count: number) => {
      for (let item = 0; item < count; item += 1) groups.add([item]);
    },
    pass: (ms: number) => {
      const endMs = nowMs + ms;
      for (;;) {
        timers.sort((a, b) => a.atMs - b.atMs);
        const [next] = timers;
        if (next === undefined || next.atMs > endMs) break;
        timers.shift();
        nowMs = next.atMs;
        next.run();
      }
      nowMs = endMs;
    },
    /** The oldest group under way lands, and what that starts has started. */
    land: async () => {
      landings.shift()?.();
      await new Promise(setImmediate);
      await new Promise(setImmediate);
    },
  };
}

describe('a group commit', () => {
  it('waits two milliseconds for company when nothing is under way', () => {
    const { add, pass, sizes } = openWorld();
    add(1);
    pass(WINDOW_MS - 1);
    add(2);
    expect(sizes()).toEqual([]);
    pass(1);
    expect(sizes()).toEqual([3]);
  });

  it('starts at once when there are enough', () => {
    const { add, sizes } = openWorld();
    add(ENOUGH - 1);
    expect(sizes()).toEqual([]);
    add(1);
    expect(sizes()).toEqual([ENOUGH]);
  });

  it('goes with what has come when the one under way lands', async () => {
    const { add, land, sizes } = openWorld();
    add(ENOUGH);
    add(3);
    expect(sizes()).toEqual([ENOUGH]);
    await land();
    expect(sizes()).toEqual([ENOUGH, 3]);
  });

  it('does not follow a landing while another is under way, unless there are enough', async () => {
    const { add, land, sizes } = openWorld();
    add(ENOUGH * 2);
    add(ENOUGH - 1);
    await land();
    expect(sizes()).toEqual([ENOUGH, ENOUGH]);
    add(1);
    expect(sizes()).toEqual([ENOUGH, ENOUGH, ENOUGH]);
  });

  it('does not wait for one that takes long', () => {
    const { add, pass, sizes } = openWorld();
    add(ENOUGH);
    pass(1);
    add(1);
    pass(PATIENCE_MS - 1);
    add(1);
    expect(sizes()).toEqual([ENOUGH]);
    pass(1);
    expect(sizes()).toEqual([ENOUGH, 2]);
  });

  it('counts the patience of what came later from then', async () => {
    const { add, pass, land, sizes } = openWorld();
    add(ENOUGH * 2);
    add(1); // its timer is for ten milliseconds from now
    pass(PATIENCE_MS - 1);
    add(ENOUGH - 1); // but it goes with these
    expect(sizes()).toHaveLength(3);
    add(1);
    pass(PATIENCE_MS - 1);
    expect(sizes()).toHaveLength(3);
    pass(1);
    expect(sizes()).toHaveLength(4);
    await land();
  });

  it('has so many under way and no more, and loses nothing that comes meanwhile', async () => {
    const { add, pass, land, sizes, groups } = openWorld();
    add(ENOUGH * IN_FLIGHT_MAX);
    add(ENOUGH * 2);
    pass(PATIENCE_MS * 3);
    expect(sizes()).toHaveLength(IN_FLIGHT_MAX);
    expect(groups.waiting()).toBe(ENOUGH * 2);
    await land();
    expect(sizes()).toEqual([...Array.from({ length: IN_FLIGHT_MAX }, () => ENOUGH), ENOUGH * 2]);
    expect(groups.waiting()).toBe(0);
  });

  it('lets what found no place go as soon as there is one', async () => {
    const { add, pass, land, sizes } = openWorld();
    add(ENOUGH * IN_FLIGHT_MAX);
    add(1);
    pass(PATIENCE_MS);
    expect(sizes()).toHaveLength(IN_FLIGHT_MAX);
    await land();
    expect(sizes()).toHaveLength(IN_FLIGHT_MAX + 1);
  });

  it('does not forget what a full group leaves', async () => {
    const { add, pass, land, sizes, groups } = openWorld();
    add(ENOUGH * IN_FLIGHT_MAX);
    pass(PATIENCE_MS); // no timer is left of these
    groups.add(Array.from({ length: SIZE_MAX }, (_, index) => index));
    add(1);
    await land();
    expect(sizes().slice(IN_FLIGHT_MAX)).toEqual([SIZE_MAX]);
    await land();
    pass(PATIENCE_MS);
    expect(sizes().slice(IN_FLIGHT_MAX)).toEqual([SIZE_MAX, 1]);
  });

  it('takes a call whole, and calls up to its size', () => {
    const { groups, started } = openWorld();
    const call = Array.from({ length: SIZE_MAX * 2 }, (_, index) => index);
    groups.add(call);
    expect(started).toEqual([call]);
  });

  it('ends with everything through when it is drained, and waits for nothing then', async () => {
    const { add, land, groups, sizes } = openWorld();
    add(ENOUGH * 2);
    add(1);
    let isDrained = false;
    const drained = groups.drain().then(() => {
      isDrained = true;
    });
    expect(sizes()).toEqual([ENOUGH, ENOUGH, 1]);
    await land();
    await land();
    expect(isDrained).toBe(false);
    await land();
    await drained;
    await groups.drain();
  });

  it('waits for no company while it is drained', async () => {
    const { add, land, groups, sizes } = openWorld();
    add(ENOUGH * IN_FLIGHT_MAX);
    add(1);
    const drained = groups.drain();
    for (let landings = 0; landings <= IN_FLIGHT_MAX; landings += 1) await land();
    await drained;
    expect(sizes().at(-1)).toBe(1);
  });
});
