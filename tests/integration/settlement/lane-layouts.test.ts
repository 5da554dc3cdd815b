import { describe, expect, it } from 'vitest';
import { collection } from '../../../core/infra/collections.ts';
import type { EntryDoc } from '../../../core/ledger/documents.ts';
import { laneNumberOf, storedLaneOf } from '../../../core/operations/lane-layout.ts';
import { isOlder, userOrderingKey } from '../../../core/operations/operation.ts';
import {
  type Instance,
  TENANT,
  accept,
  expectSoundLedger,
  openWorld,
  outcomesOf,
  readOperations,
  settled,
  submission,
} from '../../support/platform.ts';
import { openSettler, pokeAll, startWorker } from '../../support/settling.ts';
import { until } from '../../support/wait.ts';
import { spawnWorker } from '../../support/worker-process.ts';

const credit = (userId: string) =>
  submission('wallet.credit', { userId, currency: 'EUR', amount: 1 });
const create = (userId: string) =>
  submission('user.create', { userId, wallets: [{ currency: 'EUR' }] });

function numberOf(userId: string, lanes: number): number {
  return laneNumberOf(storedLaneOf(userOrderingKey(TENANT, userId), lanes));
}

/** A user whose lane has another number than this one. */
function userBeside(lanes: number, taken: (userId: string) => number): string {
  for (let index = 0; ; index += 1) {
    const userId = `mover${index}`;
    if (numberOf(userId, lanes) !== taken(userId)) return userId;
  }
}

async function deferrals({ platform }: Instance): Promise<number> {
  const { values } = await platform.metrics.deferred.get();
  return values.find(({ labels }) => labels.reason === 'awaits-other-layout')?.value ?? 0;
}

/** The entries of a user are in the order in which their operations were accepted. */
async function expectOrder(node: Instance, userId: string): Promise<number> {
  const entries = await collection<EntryDoc>(node.platform.mongo.db, 'transactions')
    .find({ tenantId: TENANT, userId })
    .sort({ walletId: 1, seq: 1 })
    .toArray();
  const ids = entries.map(({ operationId }) => ({ _id: operationId }));
  const operations = await readOperations(node, ids);
  for (const [index, later] of operations.slice(1).entries()) {
    const earlier = operations[index] ?? later;
    expect(isOlder(earlier, later), `${earlier._id} before ${later._id}`).toBe(true);
  }
  return operations.length;
}

describe('while the number of lanes changes', () => {
  it.each([
    [8, 12],
    [12, 5],
  ])('nothing passes what is older in a lane of the other layout: %i → %i', async (from, to) => {
    const { open } = await openWorld();
    const [before, after] = [
      await open({ SETTLEMENT_LANES: from }),
      await open({ SETTLEMENT_LANES: to }),
    ];
    const userId = userBeside(from, (one) => numberOf(one, to));
    const first = await accept(before, [create(userId), credit(userId)]);
    const second = await accept(after, [credit(userId)]);
    const third = await accept(before, [credit(userId)]);
    const ofNew = openSettler(after, { lanes: to });
    ofNew.wakeLane(numberOf(userId, to));
    await until(async () => (await deferrals(after)) > 0, 'the later one is put off');
    const ofOld = openSettler(before, { lanes: from });
    ofOld.wakeLane(numberOf(userId, from));
    await settled(before, [...first, ...second, ...third]);
    expect(await deferrals(before)).toBeGreaterThan(0); // the third, behind the second
    expect(await expectOrder(before, userId)).toBe(3);
    await expectSoundLedger(before);
  });

  it('what one process has in the lanes of both layouts is settled together all the same', async () => {
    const { node, open } = await openWorld();
    const after = await open({ SETTLEMENT_LANES: 12 });
    await accept(node, [create('hot')]);
    const older = await accept(
      node,
      Array.from({ length: 9 }, () => credit('hot')),
    );
    const later = await accept(
      after,
      Array.from({ length: 9 }, () => credit('hot')),
    );
    const settler = openSettler(after, { lanes: 12 });
    pokeAll(settler);
    for (const number of [8, 9, 10, 11]) settler.wakeLane(number);
    await settled(node, [...older, ...later]);
    for (const chunk of [older, later]) {
      const batches = (await readOperations(node, chunk)).map(({ settledBy }) => settledBy?.batch);
      expect(new Set(batches).size).toBeLessThanOrEqual(2);
    }
    expect(await expectOrder(node, 'hot')).toBe(18);
  });

  it('work in lanes that no setting names any more is found and settled', async () => {
    const { node, open } = await openWorld();
    const wide = await open({ SETTLEMENT_LANES: 40 });
    const users = Array.from({ length: 30 }, (_, index) => `u${index}`);
    const accepted = await accept(wide, users.map(create));
    const lanes = (await readOperations(node, accepted)).map(({ lane = -1 }) => laneNumberOf(lane));
    expect(Math.max(...lanes)).toBeGreaterThan(8);
    startWorker(node);
    const done = await settled(node, accepted, 30_000);
    expect(new Set(outcomesOf(done))).toEqual(new Set(['succeeded']));
  });

  it('a payee who is being created in a lane of another layout is waited for', async () => {
    const { node, open } = await openWorld();
    const after = await open({ SETTLEMENT_LANES: 12 });
    const toUserId = userBeside(8, () => numberOf('payer', 12));
    const payee = await accept(node, [create(toUserId)]);
    const payer = await accept(after, [create('payer')]);
    const input = { fromUserId: 'payer', toUserId, currency: 'EUR', amount: 5 };
    const rich = submission('wallet.credit', { userId: 'payer', currency: 'EUR', amount: 9 });
    const paid = await accept(after, [rich, submission('transfer', input)]);
    const settler = openSettler(after, { lanes: 12 });
    settler.wakeLane(numberOf('payer', 12));
    const waits = async (): Promise<boolean> => {
      const { values } = await after.platform.metrics.deferred.get();
      return values.some(({ labels, value }) => labels.reason === 'awaits-creation' && value > 0);
    };
    await until(waits, 'the transfer waits for its payee');
    pokeAll(openSettler(node));
    const done = await settled(node, [...payee, ...payer, ...paid]);
    expect(new Set(outcomesOf(done))).toEqual(new Set(['succeeded']));
  });

  it('under a backlog, by processes that are killed, loses nothing and keeps lines in order', async () => {
    const { database, node, open } = await openWorld();
    const nodes = [
      node,
      await open({ SETTLEMENT_LANES: 12 }),
      await open({ SETTLEMENT_LANES: 5 }),
    ] as const;
    const users = ['hot', ...Array.from({ length: 8 }, (_, index) => `u${index}`)];
    const accepted = [...(await accept(node, users.map(create)))];
    // Half of the work in one line, through APIs of every setting, and back again.
    for (let turn = 0; turn < 12; turn += 1) {
      const others = users.slice(1).map(credit);
      const hot = others.map(() => credit('hot'));
      accepted.push(
        ...(await accept(nodes[Math.floor(turn / 2) % 3] ?? node, [...others, ...hot])),
      );
    }
    const pools = 'settlement,recovery';
    const dying = [
      spawnWorker(database, { pools, failpoint: 'settle.before-commit@2' }),
      spawnWorker(database, { pools, lanes: 12, failpoint: 'settle.after-commit@2' }),
    ];
    for (const { ended } of dying) expect(await ended).toBe('SIGKILL');
    spawnWorker(database, { pools, lanes: 12 });
    spawnWorker(database, { pools, lanes: 5 });
    const done = await settled(node, accepted, 150_000);
    expect(new Set(outcomesOf(done))).toEqual(new Set(['succeeded']));
    expect(await expectOrder(node, 'hot')).toBe(96);
    for (const userId of users.slice(1)) expect(await expectOrder(node, userId)).toBe(12);
    await expectSoundLedger(node);
  }, 300_000);
});
