import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../../core/infra/collections.ts';
import { FAILPOINTS } from '../../core/kernel/failpoint.ts';
import type { EntryDoc } from '../../core/ledger/documents.ts';
import { OPERATIONS, OPERATION_TYPES } from '../../core/operation-types/registry.ts';
import type { OperationDoc } from '../../core/operations/operation.ts';
import {
  type Instance,
  accept,
  expectSoundLedger,
  openWorld,
  outcomesOf,
  readOperations,
  settled,
  submission,
} from '../support/platform.ts';
import { expectEventsFit } from '../support/events-fit.ts';
import { anotherJobOf } from '../support/jobs.ts';
import { openSettler, pokeAll } from '../support/settling.ts';
import { spawnWorker } from '../support/worker-process.ts';
import { ATOMIC_TYPES, EXAMPLES, type Ground } from './examples.ts';

/** Of each type, so that a crash meets several of them in one batch. */
const COPIES = 3;
const EUR = { currency: 'EUR' } as const;
const SETTLE_POINTS = FAILPOINTS.filter((name) => name.startsWith('settle.'));

const derived = (prefix: 'trf' | 'hld', { _id }: OperationDoc): string =>
  `${prefix}_${_id.slice(3)}`;

/** A ground of its own for every example, settled. */
async function prepare(node: Instance): Promise<readonly Ground[]> {
  const names = ATOMIC_TYPES.flatMap((type) =>
    Array.from({ length: COPIES }, (_, copy) => `${type}-${copy}`),
  );
  const users = names.flatMap((name) => [
    submission('user.create', { userId: `payer-${name}`, wallets: [EUR] }),
    submission('user.create', { userId: `payee-${name}`, wallets: [EUR] }),
    submission('wallet.credit', { userId: `payer-${name}`, ...EUR, amount: 1_100 }),
    submission('bonus.award', { userId: `payer-${name}`, ...EUR, amount: 100 }),
  ]);
  const ends = (name: string) => ({ fromUserId: `payer-${name}`, toUserId: `payee-${name}` });
  const ready = await accept(node, users);
  const transfers = await accept(
    node,
    names.map((name) => submission('transfer', { ...ends(name), ...EUR, amount: 100 })),
  );
  const holds = await accept(
    node,
    names.map((name) => submission('hold.place', { userId: `payer-${name}`, ...EUR, amount: 100 })),
  );
  const settler = openSettler(node);
  pokeAll(settler);
  const done = await settled(node, [...ready, ...transfers, ...holds]);
  expect(new Set(outcomesOf(done))).toEqual(new Set(['succeeded']));
  await settler.close();
  return names.map((name, index) => ({
    payer: `payer-${name}`,
    payee: `payee-${name}`,
    nobody: `new-${name}`,
    transferId: derived('trf', transfers[index] as OperationDoc),
    holdId: derived('hld', holds[index] as OperationDoc),
  }));
}

/** Accepts the examples of every type; the set-up's jobs are gone, so that only these count. */
async function acceptExamples(node: Instance): Promise<readonly OperationDoc[]> {
  const grounds = await prepare(node);
  for (const queue of node.queues.byName.values()) await queue.obliterate({ force: true });
  const work = ATOMIC_TYPES.flatMap((type, index) =>
    grounds
      .slice(index * COPIES, (index + 1) * COPIES)
      .map((ground) => submission(type, EXAMPLES[type].input(ground))),
  );
  return accept(node, work);
}

async function expectOneEffectEach(node: Instance, operations: readonly OperationDoc[]) {
  const done = await readOperations(node, operations);
  const told = done.map((one) => `${one.type} ${outcomesOf([one])[0] ?? ''}`);
  expect(told).toEqual(done.map(({ type }) => `${type} succeeded`));
  const entries = await collection<EntryDoc>(node.platform.mongo.db, 'transactions')
    .find({ operationId: { $in: operations.map(({ _id }) => _id) } })
    .toArray();
  const counts = operations.map(
    ({ _id }) => entries.filter((entry) => entry.operationId === _id).length,
  );
  const expected = done.map(({ type }) => EXAMPLES[type as keyof typeof EXAMPLES].entries);
  expect(counts).toEqual(expected);
  await expectSoundLedger(node);
  const named = await expectEventsFit(node.platform.mongo.db);
  expect(named.size).toBeGreaterThan(8);
}

/** As if the leases of a dead process had run out: the wait for that is tested elsewhere. */
async function forgetLeases({ platform }: Instance): Promise<void> {
  await collection(platform.mongo.db, 'leases').deleteMany({});
  await collection(platform.mongo.db, 'workers').deleteMany({});
}

describe('every operation type', { timeout: 120_000 }, () => {
  it.each(SETTLE_POINTS)('has one effect when a worker is killed at %s', async (failpoint) => {
    const { node, database } = await openWorld();
    const operations = await acceptExamples(node);
    const doomed = spawnWorker(database, { failpoint });
    expect(await doomed.ended, doomed.output()).toBe('SIGKILL');
    await forgetLeases(node);
    const heir = spawnWorker(database);
    await settled(node, operations, LIMITS.repairBudgetMs).catch((error: unknown) => {
      console.error(heir.output());
      throw error;
    });
    await expectOneEffectEach(node, operations);
  });

  it('has one effect when every job is delivered several times', async () => {
    const { node, database } = await openWorld();
    const operations = await acceptExamples(node);
    const copies = [2, 3, 4].flatMap((seq) => operations.map((one) => anotherJobOf(one, seq)));
    await node.queues.publisher.publishOperations(copies);
    spawnWorker(database);
    await settled(node, operations, 60_000);
    await node.queues.publisher.publishOperations(operations.map((one) => anotherJobOf(one, 5)));
    await expectOneEffectEach(node, operations);
  });
});

describe('the registry', () => {
  it('calls every type by its own name, with a sentence for the documentation', () => {
    for (const type of OPERATION_TYPES) {
      expect(OPERATIONS[type]).toMatchObject({ type, version: expect.any(Number) });
      expect(OPERATIONS[type].summary).toMatch(/^[A-Z].{20,}[^.]$/);
    }
  });

  it('says of every atomic type whether it moves money', () => {
    const said = ATOMIC_TYPES.map((type) => [type, OPERATIONS[type].movesMoney]);
    expect(said).toEqual(ATOMIC_TYPES.map((type) => [type, EXAMPLES[type].entries > 0]));
  });
});
