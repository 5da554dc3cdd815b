import { describe, expect, it, onTestFinished } from 'vitest';
import { allOf } from '../../../core/kernel/every.ts';
import type { OperationDoc } from '../../../core/operations/operation.ts';
import { isSettled } from '../../../core/operations/status.ts';
import { startSandbox } from '../../../scripts/dev/sandbox/server.ts';
import { expectSoundBooks } from '../../support/books.ts';
import { openUsers } from '../../support/faults/load.ts';
import { type Stage, openStage } from '../../support/faults/stage.ts';
import { until } from '../../support/faults/worker-process.ts';

const payment = (type: string, userId: string, provider: string) => ({
  type,
  input: { userId, currency: 'EUR', amount: 5, instrument: 'card', provider },
});
const message = (userId: string) => ({
  type: 'notification.send',
  input: { userId, channels: ['realtime'], content: { subject: 'Hello', text: 'A note' } },
});

/** A pool of this size is filled in no time. */
const CONCURRENCY = 64;

async function statusesOf(stage: Stage, operations: readonly OperationDoc[]) {
  const found = await Promise.all(operations.map(({ _id }) => stage.operation(_id)));
  return found.map(({ status }) => status);
}

describe('a payment provider that hangs under load', { timeout: 400_000 }, () => {
  it('takes no slot from others’ payments, nor from notifications, and nothing to a human', async () => {
    const stage = await openStage();
    onTestFinished(() => stage.close());
    const other = await startSandbox();
    onTestFinished(() => other.close());
    const users = await openUsers(stage, 2 * CONCURRENCY);
    const settings = { SAGA_CONCURRENCY: String(CONCURRENCY) };
    await stage.worker({ ...settings, PAYMENT_PROVIDER_URL: other.url });
    stage.sandbox.inject({ on: 'authorisations', kind: 'hang', times: 100_000 });
    // Each in a line of its own: more at once than the pool has slots.
    const hanging = await stage.accept(
      users.map((userId) => payment('deposit', userId, 'sandbox')),
    );
    const hasBegun = async (): Promise<true | undefined> => {
      const statuses = await statusesOf(stage, hanging);
      return statuses.some((status) => status === 'running') ? true : undefined;
    };
    await until('calls that hang', hasBegun);
    await stage.settleAll(
      ['x', 'y', 'z'].map((userId) => ({
        type: 'user.create',
        input: { userId, wallets: [{ currency: 'EUR' }] },
      })),
    );
    const going = await stage.accept(
      ['x', 'y', 'z'].flatMap((userId) => [
        payment('deposit', userId, 'http'),
        payment('withdrawal', userId, 'http'),
        message(userId),
      ]),
    );
    await until(
      'what another provider and no provider has to do with',
      async () =>
        allOf(await statusesOf(stage, going), (status) => isSettled(status)) ? true : undefined,
      60_000,
    );
    expect(new Set(await statusesOf(stage, going))).toEqual(new Set(['succeeded']));
    // Not one of those has got through meanwhile, and none was given up.
    expect((await statusesOf(stage, hanging)).filter((status) => isSettled(status))).toEqual([]);
    stage.sandbox.clear();
    await until(
      'the end of all, once it is back',
      async () =>
        allOf(await statusesOf(stage, hanging), (status) => isSettled(status)) ? true : undefined,
      240_000,
    );
    expect(new Set(await statusesOf(stage, hanging))).toEqual(new Set(['succeeded']));
    await expectSoundBooks(stage.mongo.db);
  });
});
