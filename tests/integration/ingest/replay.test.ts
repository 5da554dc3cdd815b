import { describe, expect, it } from 'vitest';
import type { FieldError } from '../../../core/kernel/errors.ts';
import type { Submission, SubmissionOutcome } from '../../../core/ingest/submission.ts';
import {
  type Instance,
  accept,
  context,
  openWorld,
  settled,
  submission,
} from '../../support/platform.ts';
import { openSettler, pokeAll } from '../../support/settling.ts';

const credit = (amount: number, extras: Partial<Submission> = {}) =>
  submission('wallet.credit', { userId: 'ann', currency: 'EUR', amount }, extras);

async function submitOne(node: Instance, one: Submission): Promise<SubmissionOutcome | undefined> {
  const [outcome] = await node.ingest.submit([one], context());
  return outcome;
}

/** Where a second request with the key of the first differs, by the answer. */
async function conflictOf(
  node: Instance,
  first: Submission,
  second: Partial<Submission>,
): Promise<readonly FieldError[] | undefined> {
  await accept(node, [first]);
  const outcome = await submitOne(node, {
    ...first,
    ...second,
    idempotencyKey: first.idempotencyKey,
  });
  if (outcome?.kind !== 'refused') throw new Error(`expected a refusal, got ${outcome?.kind}`);
  expect(outcome.error.code).toBe('idempotency_conflict');
  return outcome.error.errors;
}

describe('a request with a key that was used before', () => {
  it('answers with the stored operation, also once it is settled', async () => {
    const { node } = await openWorld();
    const [user] = await accept(node, [
      submission('user.create', { userId: 'ann', wallets: [{ currency: 'EUR' }] }),
    ]);
    const once = credit(5);
    const [first] = await accept(node, [once]);
    const early = await submitOne(node, once);
    expect(early).toMatchObject({ kind: 'replayed', operation: { _id: first?._id } });
    pokeAll(openSettler(node));
    await settled(
      node,
      [user, first].flatMap((one) => one ?? []),
    );
    const late = await submitOne(node, once);
    expect(late).toMatchObject({
      kind: 'replayed',
      operation: { _id: first?._id, status: 'succeeded' },
    });
  });

  it('counts as the same whatever the order of fields or the spelling of amounts', async () => {
    const { node } = await openWorld();
    const one = submission('wallet.credit', { userId: 'ann', currency: 'EUR', amount: 5 });
    await accept(node, [one]);
    const again = submission(
      'wallet.credit',
      { amount: '5', currency: 'EUR', userId: 'ann' },
      { idempotencyKey: one.idempotencyKey },
    );
    expect((await submitOne(node, again))?.kind).toBe('replayed');
  });

  it('is refused with pointers when the input differs', async () => {
    const { node } = await openWorld();
    const errors = await conflictOf(node, credit(5), { input: credit(6).input });
    expect(errors).toEqual([
      { pointer: '/input/amount', detail: 'differs from the first request' },
    ]);
  });

  it('is refused with pointers when conditions, metadata or the dry run differ', async () => {
    const { node } = await openWorld();
    const first = credit(5, { metadata: { a: '1' }, preconditions: { ifWalletSeq: 3 } });
    const errors = await conflictOf(node, first, {
      metadata: { a: '2', b: '1' },
      preconditions: { ifAvailableAtLeast: '1' },
      deadline: new Date('2040-01-01T00:00:00Z'),
      dryRun: true,
      orderingKey: 'mine',
    });
    expect(errors?.map(({ pointer }) => pointer).sort()).toEqual([
      '/dryRun',
      '/metadata/a',
      '/metadata/b',
      '/orderingKey',
      '/preconditions/expiresAt',
      '/preconditions/ifAvailableAtLeast',
      '/preconditions/ifWalletSeq',
    ]);
  });

  it('is refused when it names another type', async () => {
    const { node } = await openWorld();
    const debit = submission('wallet.debit', { userId: 'ann', currency: 'EUR', amount: 5 });
    const errors = await conflictOf(node, credit(5), debit);
    expect(errors?.map(({ pointer }) => pointer)).toEqual(['/type']);
  });

  it('blames no ordering key that only came from the operation it follows', async () => {
    const { node } = await openWorld();
    const place = submission(
      'hold.place',
      { userId: 'ann', currency: 'EUR', amount: 5 },
      { orderingKey: 'mine' },
    );
    const [hold] = await accept(node, [place]);
    const holdId = `hld_${hold?._id.slice(3) ?? ''}`;
    const first = submission('hold.capture', { holdId, amount: 1 });
    const second = submission('hold.capture', { holdId, amount: 2 });
    const errors = await conflictOf(node, first, second);
    expect(errors?.map(({ pointer }) => pointer)).toEqual(['/input/amount']);
  });

  it('stored nothing when it was refused, and keeps refusing', async () => {
    const { node } = await openWorld();
    const first = credit(5);
    await conflictOf(node, first, { input: credit(6).input });
    const [again] = await node.ingest.submit([first], context());
    expect(again?.kind).toBe('replayed');
  });
});
