import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CommandStartedEvent, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../core/kernel/clock.ts';
import { type LocalMongo, startMongo } from '../../scripts/dev/servers/mongo.ts';
import { pickPort } from '../../scripts/dev/servers/ports.ts';
import { mixedRequests, openUsers } from '../support/faults/load.ts';
import { sizeOf } from '../support/faults/repairs.ts';
import { type Stage, openStage } from '../support/faults/stage.ts';
import { until } from '../support/faults/worker-process.ts';

let mongo: LocalMongo;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-faults-'));
  const port = await pickPort([]);
  mongo = await startMongo({ dataDir: folder, members: 3, log: () => undefined, port });
}, 120_000);

afterAll(async () => {
  await mongo.discard();
  rmSync(folder, { recursive: true, force: true });
});

async function openOwnStage(url = mongo.url): Promise<{ stage: Stage; users: readonly string[] }> {
  const stage = await openStage({ mongoUrl: url });
  onTestFinished(() => stage.close());
  return { stage, users: await openUsers(stage, 12) };
}

const OPEN_MAX = 60;

/** Accepts by and by, repeating what was not taken, until it is told to stop. */
function keepAccepting(stage: Stage, users: readonly string[]): { stop: () => Promise<number> } {
  let [isOver, taken] = [false, 0];
  const operations = stage.mongo.db.collection('operations');
  const accepting = (async () => {
    while (!isOver) {
      // As much as the workers keep up with: what is left over at the end is not the fault's.
      const open = await operations
        .countDocuments({ nextCheckAt: { $exists: true } })
        .catch(() => 0);
      if (open > OPEN_MAX) {
        await systemClock.sleep(20);
        continue;
      }
      const accepted = await stage.accept(mixedRequests(users, 12)).catch(() => []);
      taken += accepted.length;
    }
  })();
  return {
    stop: async () => {
      isOver = true;
      await accepting;
      return taken;
    },
  };
}

async function stepDown(url: string): Promise<void> {
  const client = new MongoClient(url);
  try {
    const order = { replSetStepDown: 10, secondaryCatchUpPeriodSecs: 5, force: true };
    await client.db('admin').command(order);
  } catch (error) {
    if (!(error instanceof Error)) throw error; // it hangs up on those who ask
  } finally {
    await client.close();
  }
}

const settledSome = (stage: Stage, count: number) =>
  until('operations to settle', async () => {
    const open = { status: 'succeeded', type: { $in: ['transfer', 'withdrawal'] } };
    const found = await stage.mongo.db.collection('operations').countDocuments(open);
    return found >= count ? true : undefined;
  });

describe('W11: a primary', { timeout: 240_000 }, () => {
  it('that steps down during commits leaves no commit in doubt', async () => {
    const { stage, users } = await openOwnStage();
    await Promise.all([stage.worker(), stage.worker()]);
    const load = keepAccepting(stage, users);
    for (let round = 0; round < sizeOf({ usual: 2, long: 6 }); round += 1) {
      await settledSome(stage, (round + 1) * 10);
      await stepDown(mongo.url);
      await mongo.waitForPrimary(30_000);
    }
    const healedAt = await stage.healed();
    expect(await load.stop()).toBeGreaterThan(0);
    await stage.expectRepaired({ fault: 'W11 primary steps down', healedAt });
  });

  it('that is killed during commits loses nothing that was answered', async () => {
    const { stage, users } = await openOwnStage();
    await Promise.all([stage.worker(), stage.worker()]);
    const load = keepAccepting(stage, users);
    await settledSome(stage, 10);
    const before = await mongo.waitForPrimary();
    before.kill('SIGKILL');
    await mongo.waitForPrimary(30_000);
    const healedAt = await stage.healed();
    await settledSome(stage, 20);
    const taken = await load.stop();
    await stage.expectRepaired({ fault: 'W11 primary killed', healedAt });
    const types = { $nin: ['user.create', 'wallet.credit', 'hold.release'] };
    const stored = await stage.mongo.db.collection('operations').countDocuments({ type: types });
    expect(stored).toBeGreaterThanOrEqual(taken);
    await before.restart();
    await mongo.waitForAllMembers();
  });
});

describe('W12: a secondary that lags', { timeout: 240_000 }, () => {
  it('is never asked for a decision, whatever the address says', async () => {
    const { stage, users } = await openOwnStage(
      `${mongo.url}&readPreference=secondary&readConcernLevel=local&monitorCommands=true`,
    );
    const primary = `127.0.0.1:${String((await mongo.waitForPrimary()).port)}`;
    const reads: string[] = [];
    const onCommand = ({ commandName, address }: CommandStartedEvent): void => {
      if (commandName === 'find' || commandName === 'aggregate') reads.push(address);
    };
    stage.mongo.client.on('commandStarted', onCommand);
    const [operation] = await stage.accept(mixedRequests(users, 2).slice(1));
    await stage.engine().engine.run(operation?._id ?? '');
    await stage.settleAll(mixedRequests(users, 1));
    stage.mongo.client.off('commandStarted', onCommand);
    expect(reads.length).toBeGreaterThan(5);
    expect(new Set(reads)).toEqual(new Set([primary]));
  });
});
