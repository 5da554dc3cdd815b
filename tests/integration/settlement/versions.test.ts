import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Json } from '../../../core/kernel/canonical.ts';
import { ok } from '../../../core/kernel/result.ts';
import { parseMinor } from '../../../core/kernel/money.ts';
import { defineBatch } from '../../../core/operation-types/batch.ts';
import { OPERATIONS } from '../../../core/operation-types/registry.ts';
import {
  type Registry,
  type OperationDefinition,
  defineOperation,
} from '../../../core/operations/define.ts';
import type { OperationDoc } from '../../../core/operations/operation.ts';
import {
  type Instance,
  accept,
  openWorld,
  outcomesOf,
  readOperations,
  settled,
  submission,
} from '../../support/platform.ts';
import { openSettler, pokeAll } from '../../support/settling.ts';
import { until } from '../../support/wait.ts';

/** A type that credits; its second version names the amount otherwise, and says which it was. */
function gift(version: number, field: string, earlier: readonly OperationDefinition[] = []) {
  const input = z.record(z.string(), z.string());
  return defineOperation({
    type: 'gift',
    version,
    mode: 'atomic',
    summary: 'A gift',
    input,
    earlier,
    ordering: ({ userId = '' }) => ({ user: userId }),
    touches: ({ userId = '' }) => ({
      wallets: [{ userId, currency: 'EUR' }],
      systems: [{ name: 'world', currency: 'EUR' }],
    }),
    decide: (draft, given) => {
      const to = draft.wallet(given['userId'] ?? '', 'EUR');
      if (to === undefined) throw new Error('there is no wallet');
      const amount = parseMinor(given[field] ?? '');
      draft.move({ from: draft.system('world', 'EUR'), to, amount, balanceType: 'real' });
      return ok({ by: `v${version}` });
    },
  });
}

const V1 = gift(1, 'amount');
const V2 = gift(2, 'sum', [V1]);
const registryOf = (definition: OperationDefinition): Registry => ({
  ...OPERATIONS,
  gift: definition,
  batch: defineBatch({ 'user.create': OPERATIONS['user.create'], gift: definition }),
});
const [OLD, NEW, CUT] = [registryOf(V1), registryOf(V2), registryOf(gift(2, 'sum'))];

let keys = 0;
function give(registry: Registry, type: string, input: Json, runAt?: Date) {
  const definition = registry[type];
  if (definition === undefined) throw new Error(`no ${type}`);
  keys += 1;
  const idempotencyKey = `gift-${keys}`;
  return { definition, input, idempotencyKey, ...(runAt !== undefined && { runAt }) };
}

const create = (userId: string) =>
  submission('user.create', { userId, wallets: [{ currency: 'EUR' }] });

async function resultsOf(node: Instance, operations: readonly (OperationDoc | undefined)[]) {
  const stored = operations.flatMap((operation) => operation ?? []);
  return (await readOperations(node, stored)).map(({ result }) => result);
}

describe('a type whose version goes up while operations of the old one wait', () => {
  it('settles both by their own code, in one line and in batches, beside a worker of old code', async () => {
    const { node, open } = await openWorld();
    const old = await open();
    const first = await accept(node, [
      create('ann'),
      create('bob'),
      give(OLD, 'gift', { userId: 'ann', amount: '5' }),
      give(OLD, 'batch', { operations: [{ type: 'gift', input: { userId: 'ann', amount: '6' } }] }),
    ]);
    const second = await accept(node, [
      give(NEW, 'gift', { userId: 'ann', sum: '7' }),
      give(NEW, 'batch', { operations: [{ type: 'gift', input: { userId: 'ann', sum: '8' } }] }),
      give(OLD, 'gift', { userId: 'bob', amount: '9' }),
    ]);
    const last = second.at(-1);
    pokeAll(openSettler(old, { registry: OLD, stripe: 1 }));
    // The old code settles what it knows, and leaves the rest alone.
    await settled(node, [...first, last] as OperationDoc[]);
    const waiting = await readOperations(node, second.slice(0, 2));
    expect(waiting.map(({ status }) => status)).toEqual(['accepted', 'accepted']);
    pokeAll(openSettler(node, { registry: NEW }));
    const done = await settled(node, [...first, ...second]);
    expect(outcomesOf(done)).toEqual(done.map(() => 'succeeded'));
    expect(await resultsOf(node, [first[2], second[0], last])).toEqual([
      { by: 'v1' },
      { by: 'v2' },
      { by: 'v1' },
    ]);
    const wallet = await node.platform.mongo.db
      .collection('wallets')
      .findOne({ userId: 'ann' }, { useBigInt64: true });
    expect(wallet?.['balance']).toBe(26n);
  });

  it('settles those of the old one after every worker has been replaced', async () => {
    const { node } = await openWorld();
    const all = await accept(node, [
      create('ann'),
      give(OLD, 'gift', { userId: 'ann', amount: '5' }),
      give(OLD, 'batch', { operations: [{ type: 'gift', input: { userId: 'ann', amount: '6' } }] }),
      give(NEW, 'gift', { userId: 'ann', sum: '7' }),
    ]);
    pokeAll(openSettler(node, { registry: NEW }));
    const done = await settled(node, all);
    expect(outcomesOf(done)).toEqual(done.map(() => 'succeeded'));
    expect(await resultsOf(node, [all[1], all[3]])).toEqual([{ by: 'v1' }, { by: 'v2' }]);
  });

  it('puts what no code knows any more before a human, and its line goes on', async () => {
    const { node } = await openWorld();
    const all = await accept(node, [
      create('ann'),
      give(OLD, 'gift', { userId: 'ann', amount: '5' }),
      give(OLD, 'batch', { operations: [{ type: 'gift', input: { userId: 'ann', amount: '6' } }] }),
      give(CUT, 'gift', { userId: 'ann', sum: '7' }),
    ]);
    pokeAll(openSettler(node, { registry: CUT }));
    const parked = 'needs_attention poison_operation';
    expect(outcomesOf(await settled(node, all))).toEqual([
      'succeeded',
      parked,
      parked,
      'succeeded',
    ]);
    await until(async () => (await node.store.countOpen(10)) === 0, 'nothing is left');
  });
});
