import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../../core/kernel/errors.ts';
import type { Failpoint } from '../../core/kernel/failpoint.ts';
import { OPERATIONS } from '../../core/operation-types/registry.ts';
import type { Registry } from '../../core/operations/define.ts';
import { refusedCall } from '../../core/operations/step.ts';
import { expectSoundBooks } from '../support/books.ts';
import { giftOf, order, reserve, settle } from '../support/gift.ts';
import { type Arena, openArena } from '../support/saga-arena.ts';
import { recover } from '../support/saga-recovery.ts';

/** An attempt took effect, its worker died, and the next attempt does not get as far. */
const TIMING = { leaseMs: 1_500, heartbeatMs: 300, fenceMs: 150 };
const GIFT = 'test.gift';

const ordering = (run: typeof order.run): Registry => ({
  ...OPERATIONS,
  [GIFT]: giftOf(GIFT, [reserve, { ...order, run }, settle]),
});
const USUAL = ordering(order.run);

let arena: Arena;
beforeAll(async () => {
  arena = await openArena({ registry: USUAL });
});
afterAll(() => arena.close());

let users = 0;
/** The gift was ordered, and whoever ordered it died before that was stored. */
async function orderedByOneThatDied(): Promise<{ readonly id: string; readonly userId: string }> {
  users += 1;
  const wallet = { userId: `a${String(users)}`, currency: 'EUR' };
  const { userId } = wallet;
  await arena.submit('user.create', { userId, wallets: [{ currency: 'EUR' }] });
  await arena.submit('wallet.credit', { ...wallet, amount: 1_000 });
  const id = await arena.submit(GIFT, { ...wallet, amount: 400, instrument: 'flowers' });
  let hasDied = false;
  const failpoint: Failpoint = (name) => {
    hasDied ||= name === 'saga.after-call';
    if (hasDied) throw new Error('dies');
  };
  const victim = arena.engine({ timing: TIMING, failpoint });
  await victim.engine.run(id).catch(() => undefined); // it dies
  await victim.heartbeat.close();
  expect(atShop(id)).toMatchObject({ status: 'succeeded', isVoided: false });
  expect((await arena.operation(id)).steps?.at(-1)).toMatchObject({
    name: 'order',
    status: 'started',
  });
  return { id, userId };
}

/** As recovery does once the lease of the dead one is over. */
async function letGoOfTheDead(id: string): Promise<void> {
  await arena.mongo.db
    .collection<{ _id: string }>('operations')
    .updateOne(
      { _id: id },
      { $set: { status: 'accepted' }, $unset: { leaseUntil: '', owner: '' }, $inc: { epoch: 1 } },
    );
}

const atShop = (id: string) => arena.sandbox.payments().find(({ key }) => key === `${id}.order`);

describe('a step refused after an attempt that took effect unseen', () => {
  const reason = {
    code: 'provider_unknown',
    detail: 'this worker does not know the shop',
  } as const;
  it.each([
    {
      how: 'by a rule that throws',
      run: async () => Promise.reject(new AppError(reason.code, reason.detail)),
    },
    { how: 'by its own reply', run: async () => refusedCall(reason) },
  ])('is taken back, $how', async ({ run }) => {
    const { id, userId } = await orderedByOneThatDied();
    await recover(arena, id, TIMING, { registry: ordering(run) });
    expect(atShop(id)).toMatchObject({ isVoided: true });
    const ended = await arena.operation(id);
    expect(ended).toMatchObject({ status: 'compensated', error: reason }); // the money was set aside
    expect((await arena.wallet(userId)).balance).toBe(1_000n);
    await expectSoundBooks(arena.mongo.db);
  });
});

describe('a worker that lacks what a step needs', () => {
  const unfit = ordering(async () => {
    const extra = { retryAfterSeconds: 5 };
    return Promise.reject(new AppError('worker_unfit', 'no address of the shop here', extra));
  });

  it('leaves the operation to another one, as it was, and uses up no attempt', async () => {
    const { id, userId } = await orderedByOneThatDied();
    await letGoOfTheDead(id);
    for (let times = 0; times < 10; times += 1) {
      const put = arena.engine({ timing: TIMING, registry: unfit }).engine.run(id);
      await expect(put).rejects.toMatchObject({ code: 'worker_unfit', retryAfterSeconds: 5 });
    }
    const left = await arena.operation(id);
    expect(left).toMatchObject({ status: 'accepted' });
    expect(left).not.toHaveProperty('leaseUntil');
    expect(left.steps?.at(-1)).toMatchObject({ name: 'order', status: 'started', attempt: 1 });
    await arena.engine({ timing: TIMING }).engine.run(id);
    const ended = await arena.operation(id);
    expect(ended).toMatchObject({ status: 'succeeded' });
    expect(ended.steps?.[1]).toMatchObject({ name: 'order', attempt: 2 });
    expect(atShop(id)).toMatchObject({ deliveries: 2, isVoided: false });
    expect((await arena.wallet(userId)).balance).toBe(600n);
  });
});
