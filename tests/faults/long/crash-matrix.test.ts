import { randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseEnv } from '../../../config/env.ts';
import { systemClock } from '../../../core/kernel/clock.ts';
import { FAILPOINTS, type FailpointName } from '../../../core/kernel/failpoint.ts';
import { jobOf } from '../../../core/operations/operation.ts';
import { createLogger } from '../../../core/telemetry/logger.ts';
import { openQueues } from '../../../queues/producer.ts';
import { openUsers } from '../../support/faults/load.ts';
import { type Stage, openStage } from '../../support/faults/stage.ts';
import { startWorkerProcess } from '../../support/faults/worker-process.ts';
import type { Request } from '../../support/saga-arena.ts';

/** Processes at a time: the machine of CI has two cores. */
const AT_ONCE = 3;

const EDGE_MS_MAX = 30_000;

const SAGA_POINTS = FAILPOINTS.filter((name) => name.startsWith('saga.'));

const payment = { userId: 'u0', currency: 'EUR', amount: 4, instrument: 'card' };

const SAGAS: readonly (readonly [string, (number: number) => Request])[] = [
  ['deposit', () => ({ type: 'deposit', input: payment })],
  [
    'deposit that is taken back',
    () => ({ type: 'deposit', input: { ...payment, instrument: 'decline-capture' } }),
  ],
  ['withdrawal', () => ({ type: 'withdrawal', input: payment })],
  [
    'withdrawal that is taken back',
    () => ({ type: 'withdrawal', input: { ...payment, instrument: 'decline-payout' } }),
  ],
  [
    'tenant.provision',
    (number) => ({
      type: 'tenant.provision',
      input: {
        tenant: `tenant-${String(number)}`,
        currencies: ['EUR'],
        firstKey: { id: randomBytes(8).toString('hex'), secretHash: 'h'.repeat(43) },
      },
    }),
  ],
];

/** How often a run that nothing disturbs passes each failpoint. */
async function passesOf(
  stage: Stage,
  request: Request,
): Promise<ReadonlyMap<FailpointName, number>> {
  const passes = new Map<FailpointName, number>();
  const { engine } = stage.engine({
    timing: { leaseMs: 30_000, heartbeatMs: 5_000, fenceMs: 1_000 },
    failpoint: (name) => void passes.set(name, (passes.get(name) ?? 0) + 1),
  });
  const [operation] = await stage.accept([request]);
  await engine.run(operation?._id ?? '');
  return passes;
}

/** Lets a real worker die at the edge; nobody else hears of the job. False: it never came there. */
async function killAt(stage: Stage, failpoint: string, request: Request): Promise<boolean> {
  const [operation] = await stage.accept([request]);
  if (operation === undefined) throw new Error('not accepted');
  const QUEUE_PREFIX = `${stage.env['QUEUE_PREFIX'] ?? ''}-${randomBytes(4).toString('hex')}`;
  const env = { ...stage.env, QUEUE_PREFIX, WORKER_POOLS: 'saga', FAILPOINTS: failpoint };
  const logger = createLogger({ level: 'silent', service: 'test' });
  const queues = openQueues({ env: parseEnv(env), logger, clock: systemClock });
  try {
    const victim = await startWorkerProcess(env);
    await queues.publisher.publishOperations([jobOf(operation)]);
    const waited = systemClock.sleep(EDGE_MS_MAX).then(() => 'alive' as const);
    const how = await Promise.race([victim.ended, waited]);
    victim.kill('SIGKILL');
    await victim.ended;
    return how === 'SIGKILL';
  } finally {
    await queues.byName.get('saga')?.obliterate({ force: true });
    await queues.close();
  }
}

describe('a real worker that is killed at every edge', { timeout: 900_000 }, () => {
  it.each(SAGAS)('of a %s', async (name, requestOf) => {
    const stage = await openStage();
    onTestFinished(() => stage.close());
    await openUsers(stage, 1);
    const passes = await passesOf(stage, requestOf(0));
    const edges = SAGA_POINTS.flatMap((point) =>
      Array.from({ length: passes.get(point) ?? 0 }, (_, index) => `${point}@${String(index + 1)}`),
    );
    let died = 0;
    for (let start = 0; start < edges.length; start += AT_ONCE) {
      const some = edges.slice(start, start + AT_ONCE);
      const killed = await Promise.all(
        some.map((edge, index) => killAt(stage, edge, requestOf(start + index + 1))),
      );
      died += killed.filter(Boolean).length;
    }
    // One that is slow may be fenced out before it comes to its edge; it is killed all the same.
    expect(died).toBeGreaterThan(edges.length * 0.75);
    const healedAt = await stage.healed();
    await stage.worker();
    const all = await stage.expectRepaired({ fault: `killed at every edge: ${name}`, healedAt });
    const type = requestOf(0).type;
    const statuses = all.filter((one) => one.type === type).map(({ status }) => status);
    expect(statuses).toHaveLength(edges.length + 1);
    expect(new Set(statuses).size).toBe(1);
  });
});
