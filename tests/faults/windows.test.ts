import { describe, expect, it, onTestFinished } from 'vitest';
import { LIMITS } from '../../config/limits.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { jobOf, type OperationDoc, jobIdOf } from '../../core/operations/operation.ts';
import { createIntervene } from '../../core/operations/intervene.ts';
import { createRepairStore } from '../../core/operations/repair-store.ts';
import { createInterventionStore } from '../../core/operations/intervention-store.ts';
import { openLines } from '../../core/operations/lines.ts';
import { createOutboxStore } from '../../core/events/outbox-store.ts';
import { isSettled } from '../../core/operations/status.ts';
import { createLogger } from '../../core/telemetry/logger.ts';
import { createMetrics } from '../../core/telemetry/metrics.ts';
import { startApiProcess } from '../support/faults/api-process.ts';
import { openUsers } from '../support/faults/load.ts';
import { type Stage, openStage } from '../support/faults/stage.ts';
import { GATE, REGISTRIES, VERSIONED } from '../support/faults/versions.ts';
import { until } from '../support/faults/worker-process.ts';

async function openOwnStage(): Promise<Stage> {
  const stage = await openStage({ registry: REGISTRIES.after });
  onTestFinished(() => stage.close());
  await openUsers(stage, 4);
  return stage;
}

const payment = { userId: 'u0', currency: 'EUR', amount: 400, instrument: 'card' };

async function withdraw(stage: Stage): Promise<OperationDoc> {
  const [operation] = await stage.accept([{ type: 'withdrawal', input: payment }]);
  if (operation === undefined) throw new Error('not accepted');
  return operation;
}

const reaches = (stage: Stage, id: string, status: OperationDoc['status']) =>
  until(`${id} to be ${status}`, async () => {
    const operation = await stage.operation(id);
    if (operation.status !== status && isSettled(operation.status)) {
      throw new Error(`${id} is ${operation.status}`);
    }
    return operation.status === status ? operation : undefined;
  });

describe('W17: a zombie', { timeout: 120_000 }, () => {
  it('cannot renew by its heartbeat what was taken from it', async () => {
    const stage = await openOwnStage();
    const { db } = stage.mongo;
    stage.sandbox.inject({ on: 'payouts', kind: 'delay', delayMs: 6_000 });
    await stage.worker({ WORKER_POOLS: 'saga' });
    const { _id } = await withdraw(stage);
    const held = await until('the payout', async () => {
      const operation = await stage.operation(_id);
      return operation.steps?.some(({ name }) => name === 'payout') ? operation : undefined;
    });
    const repairs = createRepairStore(db, createOutboxStore(db));
    const taken = await until('a moment between two heartbeats', async () =>
      repairs.takeOver(await stage.operation(_id), await stage.healed()),
    );
    expect(taken.epoch).toBe(held.epoch + 1);
    await systemClock.sleep(2_500); // three heartbeats
    const after = await stage.operation(_id);
    expect([after.epoch, after.rev, after.leaseUntil]).toEqual([taken.epoch, taken.rev, undefined]);
    const healedAt = await stage.healed();
    await stage.queues.publisher.publishOperations([jobOf(after)]);
    await stage.expectRepaired({ fault: 'W17 zombie heartbeat', healedAt });
    expect((await stage.operation(_id)).status).toBe('succeeded');
  });
});

describe('W19: an operation that kills its worker every time', { timeout: 180_000 }, () => {
  it('ends with a human, and its neighbours do not', async () => {
    const stage = await openOwnStage();
    const { _id } = await withdraw(stage);
    // It has done so before.
    await stage.mongo.db
      .collection<OperationDoc>('operations')
      .updateOne({ _id }, { $set: { interruptions: LIMITS.interruptionsMax - 1 } });
    await stage.worker({ WORKER_POOLS: 'recovery' });
    for (let deaths = 0; deaths < 2; deaths += 1) {
      const victim = await stage.worker({ WORKER_POOLS: 'saga', FAILPOINTS: 'saga.after-claim' });
      expect(await victim.ended).toBe('SIGKILL');
    }
    const healedAt = await stage.healed();
    const parked = await reaches(stage, _id, 'needs_attention');
    expect(parked.error?.code).toBe('poison_operation');
    await stage.worker({ WORKER_POOLS: 'saga' });
    const neighbour = await withdraw(stage);
    await stage.expectRepaired({ fault: 'W19 poison operation', healedAt });
    expect((await stage.operation(neighbour._id)).status).toBe('succeeded');
  });
});

describe('W23: code that changes while operations are under way', { timeout: 120_000 }, () => {
  const input = { userId: 'u0' };
  const signal = async (stage: Stage, id: string): Promise<void> => {
    const { db } = stage.mongo;
    const intervene = createIntervene({
      store: createInterventionStore(db, createOutboxStore(db)),
      lines: openLines(db, stage.queues.publisher),
      publisher: stage.queues.publisher,
      hints: { announce: () => undefined },
      logger: createLogger({ level: 'silent', service: 'test' }),
      metrics: createMetrics(),
      registry: REGISTRIES.after,
    });
    const action = { kind: 'signal', name: GATE, data: {}, actor: 'test' } as const;
    await intervene({ tenantId: stage.tenantId, currencies: [] }, id, action);
  };

  it('finishes an old one by its own steps', async () => {
    const stage = await openStage({ registry: REGISTRIES.before });
    onTestFinished(() => stage.close());
    const [operation] = await stage.accept([{ type: VERSIONED, input }]);
    const id = operation?._id ?? '';
    const before = await stage.worker({ FAULTS_REGISTRY: 'before' });
    await reaches(stage, id, 'waiting');
    before.kill('SIGTERM');
    expect(await before.ended).toBe(0);
    await stage.worker({ FAULTS_REGISTRY: 'after' });
    const healedAt = await stage.healed();
    await signal(stage, id);
    await stage.expectRepaired({ fault: 'W23 old operation, new code', healedAt });
    const { status, result, steps } = await stage.operation(id);
    expect([status, result]).toEqual(['succeeded', { by: 'version 1' }]);
    expect(steps?.map(({ name }) => name)).toEqual(['first', 'gate', 'last']);
  });

  it('leaves a new one to new code', async () => {
    const stage = await openStage({ registry: REGISTRIES.after });
    onTestFinished(() => stage.close());
    const before = await stage.worker({ FAULTS_REGISTRY: 'before' });
    const [operation] = await stage.accept([{ type: VERSIONED, input }]);
    const id = operation?._id ?? '';
    const saga = stage.queues.byName.get('saga');
    await until('the old worker to put it back', async () =>
      (await saga?.getDelayedCount()) === 1 ? true : undefined,
    );
    expect((await stage.operation(id)).steps ?? []).toEqual([]);
    await stage.worker({ FAULTS_REGISTRY: 'after' });
    // The last of the old ones leaves: until then the two take turns at it.
    before.kill('SIGTERM');
    expect(await before.ended).toBe(0);
    const healedAt = await stage.healed();
    await reaches(stage, id, 'waiting');
    await signal(stage, id);
    await stage.expectRepaired({ fault: 'W23 new operation, old code', healedAt });
    expect((await stage.operation(id)).result).toEqual({ by: 'version 2' });
    expect(await saga?.getFailedCount()).toBe(0);
  });
});

describe('W24: somebody who works on jobs in Redis', { timeout: 120_000 }, () => {
  it('is refused by the board, even with a session', async () => {
    const stage = await openOwnStage();
    const { _id } = await withdraw(stage);
    const api = await startApiProcess(stage.env);
    const login = await fetch(`${api.url}/admin/login`, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({ password: 'correct horse battery' }),
    });
    const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? '';
    const board = `${api.url}/admin/queues/api/queues/saga`;
    expect(
      (await fetch(`${api.url}/admin/queues/api/queues`, { headers: { cookie } })).status,
    ).toBe(200);
    const ways = [
      ['PUT', `${board}/${jobIdOf(_id, 1)}/retry/completed`],
      ['PUT', `${board}/${jobIdOf(_id, 1)}/promote`],
      ['PUT', `${board}/${jobIdOf(_id, 1)}/clean`],
      ['PATCH', `${board}/${jobIdOf(_id, 1)}/update-data`],
      ['POST', `${board}/add`],
      ['PUT', `${board}/pause`],
      ['PUT', `${board}/empty`],
    ] as const;
    for (const [method, url] of ways) {
      const answer = await fetch(url, { method, headers: { cookie }, body: '{}' });
      expect([url, answer.status]).toEqual([url, 405]);
    }
    expect(await stage.queues.byName.get('saga')?.getWaitingCount()).toBe(1);
  });

  it('does no harm: jobs retried, changed, removed or promoted', async () => {
    const stage = await openOwnStage();
    const saga = stage.queues.byName.get('saga');
    const [changed, removed] = [await withdraw(stage), await withdraw(stage)];
    const jobOfOperation = async ({ _id }: OperationDoc) => saga?.getJob(jobIdOf(_id, 1));
    const data: unknown = (await jobOfOperation(changed))?.data;
    await (
      await jobOfOperation(changed)
    )?.updateData({
      ...(typeof data === 'object' ? data : {}),
      operationId: removed._id,
    });
    await (await jobOfOperation(removed))?.remove();
    const healedAt = await stage.healed();
    await stage.worker();
    await stage.expectRepaired({ fault: 'W24 jobs changed and removed', healedAt });
    const before = await stage.operation(changed._id);
    const done = await until('a job that is done', async () => (await saga?.getCompleted())?.[0]);
    await done.retry('completed');
    await until('it to be done again', async () => ((await done.isCompleted()) ? true : undefined));
    await stage.expectRepaired({ fault: 'W24 jobs retried', healedAt: await stage.healed() });
    expect(await stage.operation(changed._id)).toEqual(before);
    expect((await stage.wallet('u0')).balance).toBe(9_200n);
  });
});
