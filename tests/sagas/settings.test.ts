import { beforeAll, describe, expect, it } from 'vitest';
import { useApi } from '../support/api.ts';
import { payment, paymentScenario } from '../support/payment-scenario.ts';
import { sluiceOn } from '../support/sluice-command.ts';
import { until } from '../support/wait.ts';

/** A running worker, which is told by `sluice config`. */
const api = useApi({ sagas: true });
const { fundedUser, reaches } = paymentScenario(api);
let userId = '';

beforeAll(async () => {
  userId = await fundedUser(1);
});

const SOON_MS = 5_000;
const WHY = ['--reason', 'a test'] as const;

async function sluice(...args: readonly string[]): Promise<void> {
  const { code, err } = await sluiceOn(api.platform, ...args, ...WHY);
  expect({ code, err }).toEqual({ code: 0, err: '' });
}

async function isKnown(what: () => unknown, value: unknown): Promise<void> {
  await until(
    () => what() === value,
    () => `${String(what())} becomes ${String(value)}`,
    SOON_MS,
  );
}

const read = () => api.platform.settings.now;

async function deposit(whose = userId): Promise<string> {
  const asked = { ...payment, userId: whose, amount: '10' };
  const { body } = await api.post('/v1/deposits', asked);
  return body.id as string;
}

const authorise = (body: { steps: { name: string; attempt: number }[] }) =>
  body.steps.find(({ name }) => name === 'authorise');

/** Calls under way at once at the most, while some deposits are made. */
async function mostAtOnce(count: number): Promise<number> {
  api.sandbox.inject({ on: 'authorisations', kind: 'delay', delayMs: 300, times: count });
  let most = 0;
  // Of users of their own: those of one stand in line.
  const users = await Promise.all(Array.from({ length: count }, () => fundedUser(1)));
  const ids = await Promise.all(users.map((whose) => deposit(whose)));
  const ended = new Set<string>();
  const ends = ids.map(async (id) => ended.add((await reaches(id, 'succeeded')).id as string));
  await until(async () => {
    const { values } = await api.platform.metrics.paymentCallsInFlight.get();
    most = Math.max(most, ...values.map(({ value }) => value));
    return ended.size === ids.length;
  }, 'all have ended');
  await Promise.all(ends);
  return most;
}

describe('what a running worker is told', () => {
  it('of time-outs and pauses counts from the next claim, and attempts stay what they are', async () => {
    await sluice('config', 'set', 'payment.timeoutMs=300ms', '--provider', 'sandbox');
    await isKnown(() => read().read('payment.timeoutMs', { provider: 'sandbox' }), 300);
    api.sandbox.inject({ on: 'authorisations', kind: 'delay', delayMs: 1_500 });
    const hasty = await reaches(await deposit(), 'succeeded');
    // The first call was given up, which is the provider's fault and no attempt of the step's.
    const { body } = await api.ask(`/v1/operations/${String(hasty.id)}/timeline`);
    expect(JSON.stringify(body)).toContain('No answer within 300 ms');
    expect(authorise(hasty)?.attempt).toBe(1);
    await sluice('config', 'rollback', '0', '--provider', 'sandbox');
    await isKnown(() => read().read('payment.timeoutMs', { provider: 'sandbox' }), 15_000);
    api.sandbox.inject({ on: 'authorisations', kind: 'delay', delayMs: 1_500 });
    const patient = await reaches(await deposit(), 'succeeded');
    const { body: told } = await api.ask(`/v1/operations/${String(patient.id)}/timeline`);
    expect(JSON.stringify(told)).not.toContain('No answer within');
  });

  it('of calls at once, and of sagas, holds for what comes', async () => {
    await sluice('config', 'set', 'payment.inFlightMax', '1', '--provider', 'sandbox');
    await isKnown(() => read().read('payment.inFlightMax', { provider: 'sandbox' }), 1);
    expect(await mostAtOnce(4)).toBe(1);
    await sluice('config', 'unset', 'payment.inFlightMax', '--provider', 'sandbox');
    await isKnown(() => read().read('payment.inFlightMax', { provider: 'sandbox' }), 0);
    expect(await mostAtOnce(6)).toBeGreaterThan(1);
  });

  it('of a rate of one tenant is held to, over all of its calls', async () => {
    const scope = ['--provider', 'sandbox', '--tenant', 'default'] as const;
    await sluice('config', 'set', 'payment.tenantRatePerSecond', '2', ...scope);
    const place = { provider: 'sandbox', tenant: 'default' };
    await isKnown(() => read().read('payment.tenantRatePerSecond', place), 2);
    const startedMs = performance.now();
    const ids = await Promise.all(Array.from({ length: 4 }, () => deposit()));
    for (const id of ids) await reaches(id, 'succeeded');
    // Four deposits are eight calls, of which two may be made at once.
    expect(performance.now() - startedMs).toBeGreaterThan(2_500);
    await sluice('config', 'unset', 'payment.tenantRatePerSecond', ...scope);
  });
});

describe('a paused payment provider', () => {
  it('is not called, costs no attempt, and goes on when it is resumed', async () => {
    await sluice('pause', '--provider', 'sandbox');
    await isKnown(() => api.platform.pauses.active.length, 1);
    const before = api.sandbox.payments().length;
    const id = await deposit();
    await reaches(id, 'waiting');
    expect(api.sandbox.payments().length).toBe(before);
    await sluice('resume', '--provider', 'sandbox');
    await isKnown(() => api.platform.pauses.active.length, 0);
    const after = await atLast(id);
    expect(authorise(after)?.attempt).toBe(1);
  }, 60_000);
});

/** It asks again by itself after a while, which is longer than others wait. */
async function atLast(id: string): Promise<{ steps: { name: string; attempt: number }[] }> {
  await expect
    .poll(async () => (await api.ask(`/v1/operations/${id}`)).body.status as string, {
      timeout: 40_000,
    })
    .toBe('succeeded');
  const { body } = await api.ask(`/v1/operations/${id}`);
  return body as Awaited<ReturnType<typeof atLast>>;
}
