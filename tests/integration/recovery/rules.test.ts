import { Redis } from 'ioredis';
import { beforeAll, describe, expect, it } from 'vitest';
import { OPERATIONS } from '../../../core/operation-types/registry.ts';
import { requestHashOf } from '../../../core/ingest/request-identity.ts';
import { createSchedules } from '../../../queues/schedules.ts';
import { useApi } from '../../support/api.ts';
import { succeed } from '../../support/http-fixtures.ts';
import { payment, paymentScenario, storyOf } from '../../support/payment-scenario.ts';

/** The rules of the sweeper that need a whole platform: API, workers, a provider, a recovery pool. */
const api = useApi({ sagas: true });
const scenario = paymentScenario(api);
const { fundedUser, inReview, operation, reaches, timelineOf, wallet } = scenario;

beforeAll(() => scenario.setPolicy());

const operations = () => api.db.collection<{ _id: string }>('operations');
const past = (): Date => new Date(Date.now() - 60_000);

const soon = (): string => new Date(Date.now() + 4_000).toISOString();

async function eventIdsOf(id: string, name: string): Promise<readonly string[]> {
  const rows = await api.db
    .collection<{ events: readonly { id: string; name: string; operationId?: string }[] }>('outbox')
    .find({ 'events.operationId': id })
    .toArray();
  const all = rows.flatMap(({ events }) => events);
  return all.filter((one) => one.name === name && one.operationId === id).map((one) => one.id);
}

/** The release of a hold that has come to nothing, under the key of the first. */
async function burn(holdId: string): Promise<string> {
  const input = { holdId: `hld_${'0'.repeat(32)}` };
  const headers = { prefer: 'wait=20' };
  const { body } = await api.post('/v1/operations', { type: 'hold.release', input }, { headers });
  expect(body).toMatchObject({ status: 'rejected' });
  const stored = await operations().findOne({ _id: body.id as string });
  const idempotencyKey = `sluice→hold-expiry/${holdId}`;
  const request = { definition: OPERATIONS['hold.release'], input: { holdId }, idempotencyKey };
  const _id = `${String(body.id).slice(0, -4)}beef`;
  const requestHash = requestHashOf(request);
  const burnt = { ...stored, _id, idempotencyKey, requestHash, input: { holdId } };
  await operations().insertOne(burnt);
  return _id;
}

async function metric(name: string, rule: string): Promise<number> {
  const text = await api.platform.metrics.registry.metrics();
  const line = text.split('\n').find((one) => one.startsWith(`${name}{rule="${rule}"}`));
  return Number(line?.split(' ').at(-1) ?? 0);
}

describe('R5', () => {
  it('parks what has been interrupted too often, once, with an event', async () => {
    const { id } = await inReview();
    const before = await metric('sluice_sweep_repaired_total', 'R5');
    const worn = { status: 'running', interruptions: 10, leaseUntil: past(), nextCheckAt: past() };
    await operations().updateOne({ _id: id }, { $set: worn });
    const parked = await reaches(id, 'needs_attention');
    expect(parked.error).toMatchObject({ code: 'poison_operation' });
    expect(await metric('sluice_sweep_repaired_total', 'R5')).toBe(before + 1);
    const events = { 'events.name': 'operation.needs_attention', 'events.operationId': id };
    expect(await api.db.collection('outbox').countDocuments(events)).toBe(1);
    // A human may let it go on: its interruptions count from zero again.
    await api.post(`/v1/operations/${id}/signals/risk-decision`, { approve: true });
    await api.post(`/v1/operations/${id}/retry`, { note: 'the machine was out of memory' });
    await reaches(id, 'succeeded');
  });

  it('tells each parking of one operation, under ids of their own, and keeps them all', async () => {
    const { id } = await inReview();
    const wear = async (): Promise<void> => {
      const worn = {
        status: 'running',
        interruptions: 10,
        leaseUntil: past(),
        nextCheckAt: past(),
      };
      await operations().updateOne({ _id: id }, { $set: worn });
      await reaches(id, 'needs_attention');
    };
    await wear();
    await operations().updateOne({ _id: id }, { $inc: { epoch: 1 } }); // as a retry by hand does
    await wear();
    const told = (): Promise<readonly string[]> => eventIdsOf(id, 'operation.needs_attention');
    expect(new Set(await told()).size).toBe(2);
    const parked = { event: 'parked', step: 'risk-check', code: 'poison_operation' };
    const events = await timelineOf(id);
    expect(events.filter(({ event }) => event === 'parked')).toMatchObject([parked, parked]);
    await api.post(`/v1/operations/${id}/retry`, { note: 'enough', direction: 'back' });
    await reaches(id, 'compensated');
    const after = await timelineOf(id);
    expect(after.filter(({ event }) => event === 'parked')).toMatchObject([parked, parked]);
  });
});

describe('R6', () => {
  it('takes back what waits past its deadline, before the point of no return', async () => {
    const userId = await fundedUser();
    const preconditions = { expiresAt: new Date(Date.now() + 2_000).toISOString() };
    const input = { ...payment, userId, amount: 5_000, preconditions };
    const { body } = await api.post('/v1/withdrawals', input);
    await reaches(body.id, 'waiting');
    expect(await wallet(userId)).toMatchObject({ lockedBalance: '5000' });
    const expired = await reaches(body.id, 'expired');
    expect(expired.error).toMatchObject({ code: 'deadline_passed' });
    expect(await wallet(userId)).toMatchObject({ balance: '50000', lockedBalance: '0' });
    expect(storyOf(await timelineOf(body.id))).toContain('compensation.completed hold');
  });

  it('after it goes on, and raises an alert', async () => {
    const { id } = await inReview();
    const before = await metric('sluice_sweep_stale_total', 'R6');
    // As if the payout had been made and its worker had died.
    await api.post(`/v1/operations/${id}/signals/risk-decision`, { approve: true });
    await reaches(id, 'succeeded');
    const { userId, id: late } = await inReview();
    const stored = await operations().findOne<{ steps: readonly object[] }>({ _id: id });
    await operations().updateOne(
      { _id: late },
      {
        $set: {
          steps: [...(stored?.steps.slice(0, 3) ?? [])],
          pivotPassed: true,
          deadline: past(),
          runAt: past(),
          nextCheckAt: past(),
        },
      },
    );
    await reaches(late, 'succeeded');
    expect(await wallet(userId)).toMatchObject({ balance: '45000' });
    expect(await metric('sluice_sweep_stale_total', 'R6')).toBeGreaterThan(before);
  });
});

describe('R9', () => {
  it('puts the job scheduler back when Redis has lost it, and its jobs are worked off', async () => {
    const { QUEUE_PREFIX: prefix, REDIS_URL } = api.platform.env;
    const redis = new Redis(REDIS_URL, { maxRetriesPerRequest: null });
    const schedules = createSchedules({ connection: redis, prefix, onError: () => undefined }, 300);
    const keys = async (): Promise<number> =>
      (await redis.keys(`${prefix}:recovery:repeat*`)).length;
    try {
      await expect.poll(keys, { timeout: 15_000 }).toBeGreaterThan(0);
      const repaired = await metric('sluice_sweep_repaired_total', 'R9');
      const all = await redis.keys(`${prefix}:recovery:*`);
      await redis.del(...all);
      await expect
        .poll(() => metric('sluice_sweep_repaired_total', 'R9'), { timeout: 15_000 })
        .toBe(repaired + 1);
      expect(await schedules.ensure()).toBe(0); // it is there again
      const done = async (): Promise<number> => redis.zcard(`${prefix}:recovery:completed`);
      await expect.poll(done, { timeout: 15_000 }).toBeGreaterThan(0);
    } finally {
      await schedules.close();
      redis.disconnect();
    }
  });
});

describe('R10', () => {
  it('releases a hold past its time, once', async () => {
    const userId = await fundedUser();
    const expiresAt = new Date(Date.now() + 1_000).toISOString();
    const input = { userId, currency: 'EUR', amount: 700, expiresAt };
    const placed = await succeed(api, '/v1/holds', input);
    const { holdId } = placed.result as { holdId: string };
    const status = async (): Promise<unknown> => (await api.ask(`/v1/holds/${holdId}`)).body.status;
    await expect.poll(status, { timeout: 20_000 }).toBe('expired');
    expect(await wallet(userId)).toMatchObject({ balance: '50000', lockedBalance: '0' });
    const releases = { type: 'hold.release', 'input.holdId': holdId };
    expect(await operations().countDocuments(releases)).toBe(1);
    const { _id } = (await operations().findOne(releases)) ?? { _id: '' };
    expect(await operation(_id)).toMatchObject({
      status: 'succeeded',
      correlationId: 'recovery.hold-expiry',
    });
  });

  it('is the platform’s own work: nobody cancels it, and it does not rest on one key', async () => {
    const userId = await fundedUser();
    const input = { userId, currency: 'EUR', amount: 700, expiresAt: soon() };
    const { holdId } = (await succeed(api, '/v1/holds', input)).result as { holdId: string };
    const release = { type: 'hold.release', 'input.holdId': holdId };
    // Whatever made the first release come to nothing: its key is used up.
    const burnt = await burn(holdId);
    for (const [path, body, code] of [
      ['cancel', undefined, 'not_cancelable'],
      ['signals/go', {}, 'illegal_state'],
      ['resolve', { note: 'x', status: 'succeeded' }, 'illegal_state'],
    ] as const) {
      const answer = await api.post(`/v1/operations/${burnt}/${path}`, body);
      expect([path, answer.status, answer.body.code]).toEqual([path, 409, code]);
    }
    const status = async (): Promise<unknown> => (await api.ask(`/v1/holds/${holdId}`)).body.status;
    await expect.poll(status, { timeout: 40_000 }).toBe('expired');
    expect(await wallet(userId)).toMatchObject({ balance: '50000', lockedBalance: '0' });
    expect(await operations().countDocuments(release)).toBe(2);
  });

  it('leaves a hold that a withdrawal manages alone', async () => {
    const { id, userId } = await inReview();
    await api.db
      .collection('holds')
      .updateOne({ operationId: id }, { $set: { expiresAt: past() } });
    const tried = { type: 'hold.release', 'input.holdId': `hld_${id.slice(3)}` };
    const outcome = async (): Promise<unknown> => (await operations().findOne(tried))?._id;
    await expect.poll(outcome, { timeout: 20_000 }).toBeDefined();
    await reaches(String(await outcome()), 'rejected');
    expect(await wallet(userId)).toMatchObject({ lockedBalance: '5000' });
  });
});
