import { describe, expect, it } from 'vitest';
import { createRoom } from '../../../../core/saga/room.ts';

/** Lets everybody in who may come in. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

describe('a room for so many bytes', () => {
  it('keeps out who comes when it is full, and lets each of them in, in turn', async () => {
    const room = createRoom(100);
    const first = await room.enter();
    first.take(150);
    const inside: number[] = [];
    const leaving: (() => void)[] = [];
    for (const one of [1, 2, 3, 4]) {
      const entering = room.enter().then((seat) => {
        inside.push(one);
        seat.take(10);
        leaving.push(() => {
          seat.leave();
        });
      });
      entering.catch(expect.unreachable);
    }
    await settle();
    expect(inside).toEqual([]);
    first.leave();
    await settle();
    expect(inside).toEqual([1, 2]);
    for (const leave of leaving.splice(0)) leave();
    await settle();
    expect(inside).toEqual([1, 2, 3, 4]);
  });

  it('is passed on by one who finds nothing to do', async () => {
    const room = createRoom(100);
    const first = await room.enter();
    first.take(100);
    const second = room.enter();
    const third = room.enter();
    const fourth = room.enter();
    first.leave();
    (await second).leave();
    (await third).leave();
    (await fourth).leave();
    expect(await room.enter()).toBeDefined();
  });
});
