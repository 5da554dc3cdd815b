import { describe, expect, it } from 'vitest';
import type { OperationDoc } from '../../../core/operations/operation.ts';
import {
  type Instance,
  accept,
  expectSoundLedger,
  openWorld,
  outcomesOf,
  readOperations,
  settled,
  submission,
} from '../../support/platform.ts';
import { openSettler, pokeAll, userIn } from '../../support/settling.ts';
import { until } from '../../support/wait.ts';

const create = (userId: string, currencies: readonly string[] = ['EUR']) =>
  submission('user.create', { userId, wallets: currencies.map((currency) => ({ currency })) });
const credit = (userId: string, amount = 100, currency = 'EUR') =>
  submission('wallet.credit', { userId, currency, amount });
const pay = (fromUserId: string, toUserId: string, amount = 1, currency = 'EUR') =>
  submission('transfer', { fromUserId, toUserId, currency, amount });

const statusOf = async (node: Instance, operation: OperationDoc | undefined) =>
  operation && outcomesOf(await readOperations(node, [operation]))[0];

describe('an operation that needs what another line is still creating', () => {
  it('waits for it and then succeeds, however late that line is settled', async () => {
    const { node } = await openWorld();
    const ann = userIn('ann', (lane) => lane === 0);
    const bob = userIn('bob', (lane) => lane === 1);
    const settler = openSettler(node);
    await accept(node, [create(ann), credit(ann)]);
    const [creation] = await accept(node, [create(bob)]);
    const [transfer] = await accept(node, [pay(ann, bob)]);
    settler.wakeLane(0);
    const { deferred } = node.platform.metrics;
    await until(async () => {
      const { values } = await deferred.get();
      return values.some(({ labels, value }) => labels.reason === 'awaits-creation' && value > 2);
    }, 'the transfer is put off a few times');
    expect(await statusOf(node, transfer)).toBe('accepted');
    settler.wakeLane(1);
    const done = await settled(node, [creation, transfer] as OperationDoc[]);
    expect(outcomesOf(done)).toEqual(['succeeded', 'succeeded']);
    await expectSoundLedger(node);
  });

  it('is waited for by a dry run too, which says what would happen then', async () => {
    const { node } = await openWorld();
    const ann = userIn('ann', (lane) => lane === 0);
    const bob = userIn('bob', (lane) => lane === 1);
    const settler = openSettler(node);
    await accept(node, [create(ann), credit(ann)]);
    const [creation] = await accept(node, [create(bob)]);
    const [dry] = await accept(node, [{ ...pay(ann, bob), dryRun: true }]);
    settler.wakeLane(0);
    const { deferred } = node.platform.metrics;
    await until(async () => {
      const { values } = await deferred.get();
      return values.some(({ labels, value }) => labels.reason === 'awaits-creation' && value > 0);
    }, 'the dry run is put off');
    settler.wakeLane(1);
    const [, done] = await settled(node, [creation, dry] as OperationDoc[]);
    expect(done?.result).toMatchObject({ dryRun: true, would: 'succeeded' });
  });

  it('is refused when nobody is creating it, and does not wait for younger work', async () => {
    const { node } = await openWorld();
    const ann = userIn('ann', (lane) => lane === 0);
    const bob = userIn('bob', (lane) => lane === 1);
    const settler = openSettler(node);
    await accept(node, [create(ann), credit(ann)]);
    const [transfer] = await accept(node, [pay(ann, bob)]);
    await accept(node, [create(bob)]);
    settler.wakeLane(0);
    const done = await settled(node, [transfer] as OperationDoc[]);
    expect(outcomesOf(done)).toEqual(['rejected wallet_not_found']);
  });

  it('does not wait for ever on one that was accepted with it and waits on it in turn', async () => {
    const { node, open } = await openWorld();
    const other = await open();
    const ann = userIn('ann', (lane) => lane === 0);
    const bob = userIn('bob', (lane) => lane === 1);
    // Same group commit, same stamp; each names a user that does not exist and stands in the line
    // of the other's missing user. Two processes hold one of the lanes each.
    const both = await accept(node, [pay(ann, bob), pay(bob, ann)]);
    openSettler(node, { stripe: 0 }).wakeLane(0);
    openSettler(other, { stripe: 1 }).wakeLane(1);
    const done = await settled(node, both, 8_000);
    expect(outcomesOf(done)).toEqual(['rejected wallet_not_found', 'rejected wallet_not_found']);
  });

  it('waits too when what creates it is put off in the same batch', async () => {
    const { node } = await openWorld();
    const settler = openSettler(node);
    const ann = userIn('ann', (lane) => lane === 0);
    const bob = userIn('bob', (lane) => lane === 0);
    const cyd = userIn('cyd', (lane) => lane === 1);
    const setUp = await accept(node, [create(ann), credit(ann), create(bob, ['USD'])]);
    const funds = await accept(node, [credit(bob, 5, 'USD')]);
    settler.wakeLane(0);
    await settled(node, [...setUp, ...funds]);
    const [creation] = await accept(node, [create(cyd)]);
    // Ann's line waits for Cyd; Bob pays into the wallet that Ann's line opens behind that.
    const [first] = await accept(node, [pay(ann, cyd)]);
    const [opening] = await accept(node, [
      submission('wallet.open', { userId: ann, currency: 'USD' }),
    ]);
    const [second] = await accept(node, [pay(bob, ann, 5, 'USD')]);
    settler.wakeLane(0);
    await until(async () => {
      const { values } = await node.platform.metrics.deferred.get();
      return values.some(({ labels, value }) => labels.reason === 'awaits-creation' && value > 2);
    }, 'the line is put off');
    settler.wakeLane(1);
    const all = [creation, first, opening, second] as OperationDoc[];
    expect(outcomesOf(await settled(node, all))).toEqual(all.map(() => 'succeeded'));
  });

  it('is not held up by a refusal for want of a user in each of hundreds of lines', async () => {
    const { node } = await openWorld();
    const settler = openSettler(node);
    const work = Array.from({ length: 300 }, (_, index) => pay(`from${index}`, `to${index}`));
    const operations = await accept(node, work);
    pokeAll(settler);
    const done = await settled(node, operations);
    expect(new Set(outcomesOf(done))).toEqual(new Set(['rejected wallet_not_found']));
  });
});
