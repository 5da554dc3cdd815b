import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WORKER_POOLS } from '../../config/env.ts';
import { pickPort } from '../../scripts/dev/servers/ports.ts';
import { createWatchdog } from '../../scripts/dev/servers/watchdog.ts';
import {
  type Child,
  type ChildContext,
  startChild,
  stopChild,
} from '../../scripts/dev/up/children.ts';
import { type WorkerPlan, workerPlans } from '../../scripts/dev/up/workers.ts';
import {
  type World,
  accept,
  openWorld,
  outcomesOf,
  settled,
  submission,
} from '../support/platform.ts';
import { ROOT } from '../support/tidy/tree.ts';
import { until } from '../support/wait.ts';

const credit = () => submission('wallet.credit', { userId: 'ann', currency: 'EUR', amount: 1 });

/** The processes of a stack, as `npm start` looks after them. */
function stackOn({
  database,
}: World): (plan: WorkerPlan, more?: NodeJS.ProcessEnv) => Promise<Child> {
  const given: string[] = [];
  const context: ChildContext = {
    root: ROOT,
    logFolder: mkdtempSync(join(tmpdir(), 'sluice-logs-')),
    log: () => undefined,
    watchdog: createWatchdog(),
    onStart: () => undefined,
    onGiveUp: (name) => given.push(name),
  };
  onTestFinished(() => {
    expect(given).toEqual([]);
  });
  return async ({ name, pools = [], restart }, more = {}) => {
    const port = await pickPort([]);
    const env = {
      PATH: process.env['PATH'],
      NODE_ENV: 'test',
      MONGO_URL: database.mongoUrl,
      REDIS_URL: database.redisUrl,
      MONGO_DB: database.name,
      QUEUE_PREFIX: database.name,
      WORKER_POOLS: pools.join(','),
      WORKER_PORT: String(port),
      ...more,
    };
    const url = `http://127.0.0.1:${String(port)}`;
    const spec = { name, script: 'workers/main.ts', url, env };
    const child = startChild(restart === undefined ? spec : { ...spec, restart }, context);
    onTestFinished(() => stopChild(child));
    return child;
  };
}

describe('the workers of a stack', () => {
  it('run every pool, and settlement apart from what meets the outside', () => {
    const plans = workerPlans(2, undefined);
    expect(plans.map(({ name }) => name)).toEqual([
      ...['worker-1', 'worker-2', 'outward-1', 'outward-2'],
    ]);
    const pools = new Set(plans.flatMap((plan) => plan.pools ?? []));
    expect([...pools].toSorted()).toEqual(WORKER_POOLS.toSorted());
    for (const { pools: own = [] } of plans) {
      expect(own.includes('settlement') && own.includes('notification')).toBe(false);
    }
    expect(workerPlans(1, 'settlement,saga')).toEqual([{ name: 'worker-1' }]);
  });

  it('settle while the one that notifies is killed, or dies out of memory at every start', async () => {
    const world = await openWorld();
    const { node } = world;
    const start = stackOn(world);
    const [settling, outward] = workerPlans(1, undefined);
    if (settling === undefined || outward === undefined) throw new Error('there are two');
    const worker = await start(settling);
    const victim = await start(outward);
    await settled(
      node,
      await accept(node, [
        submission('user.create', { userId: 'ann', wallets: [{ currency: 'EUR' }] }),
      ]),
      60_000,
    );
    const isUp = async (): Promise<boolean> =>
      fetch(`${victim.url}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until(isUp, 'the victim is up', 60_000);
    victim.process.kill('SIGKILL');
    const dying = await start(
      { ...outward, name: 'outward-2' },
      { NODE_OPTIONS: '--max-old-space-size=12' },
    );
    for (let round = 0; round < 5; round += 1) {
      const done = await settled(node, await accept(node, [credit(), credit()]), 20_000);
      expect(outcomesOf(done)).toEqual(['succeeded', 'succeeded']);
    }
    await until(() => dying.process.restarts >= 2, 'it dies again and again', 60_000);
    expect(readFileSync(dying.logFile, 'utf8')).toContain('out of memory');
    await until(isUp, 'the victim is there again', 60_000);
    expect(victim.process.restarts).toBe(1);
    expect(worker.process.restarts).toBe(0);
    expect(outcomesOf(await settled(node, await accept(node, [credit()]), 20_000))).toEqual([
      'succeeded',
    ]);
  }, 200_000);

  it('are started for ever where they are not needed to settle', () => {
    for (const { pools = [], restart } of workerPlans(1, undefined)) {
      expect(restart === undefined).toBe(pools.includes('settlement'));
    }
  });
});
