import { describe, expect, it, onTestFinished } from 'vitest';
import { startServer } from '../../../api/http/server.ts';
import type { ApiServices } from '../../../api/services/services.ts';
import { type Waiters, createOutcomeWaiters } from '../../../api/writes/outcome-waiters.ts';
import { createDocs } from '../../../api/docs/docs.ts';
import { ENDPOINTS } from '../../../api/routes/index.ts';
import { LIMITS } from '../../../config/limits.ts';
import { systemClock } from '../../../core/kernel/clock.ts';
import { AppError } from '../../../core/kernel/errors.ts';
import { OPERATIONS } from '../../../core/operation-types/registry.ts';
import type { Ingest } from '../../../core/ingest/submission.ts';
import { createLogger } from '../../../core/telemetry/logger.ts';
import { createMetrics } from '../../../core/telemetry/metrics.ts';

const never = (): never => {
  throw new Error('not for this test');
};

/** The real server over an ingest that answers as it is told. */
function servicesWith(submit: Ingest['submit'], waiters: Waiters): ApiServices {
  return {
    registry: OPERATIONS,
    ingest: { submit, drain: async () => undefined },
    operations: never,
    ledger: never,
    queued: never,
    proofs: never,
    walletCache: { read: never },
    readConsistency: 'strong',
    notifications: never,
    intervene: never,
    auditOf: never,
    settings: { list: never, get: never, change: never, history: never },
    pauses: { active: never, find: never, list: never, pause: never, resume: never, heldBy: never },
    waitSecondsMax: () => 30,
    waiting: { operations: { look: never, glance: never }, delivery: never },
    keys: {
      create: never,
      rotate: never,
      revoke: never,
      find: never,
      list: never,
      graceSeconds: 0,
    },
    tenants: { change: never, find: never, list: never },
    audit: { list: never, note: never },
    waiters,
    graphql: { run: never },
    streams: { open: never, eventsOf: never },
    clock: systemClock,
  };
}

async function serve(submit: Ingest['submit']): Promise<string> {
  const logger = createLogger({ level: 'silent', service: 'test' });
  const waiters = createOutcomeWaiters({
    readMany: async () => [],
    isHinted: () => true,
    clock: systemClock,
    logger,
  });
  const services = servicesWith(submit, waiters);
  const principal = {
    keyId: 'k',
    tenant: { tenantId: 'default', currencies: [] },
    scopes: ['admin'] as const,
  };
  const server = await startServer({
    host: '127.0.0.1',
    port: 0,
    endpoints: ENDPOINTS,
    services: { of: () => services },
    waiters,
    authenticator: { authenticate: () => principal },
    limiter: { meter: () => undefined },
    realtime: { attach: () => undefined, close: async () => undefined },
    pages: {
      ops: { health: never, ready: never, metrics: never },
      depths: never,
      openOperations: never,
      lanes: 8,
      docs: createDocs([]),
      health: never,
    },
    admin: {
      queues: { follow: () => undefined },
      hasQueues: () => false,
      password: undefined,
      signOuts: { add: never, has: never },
      tenants: { list: never, find: never },
    },
    clock: systemClock,
    logger,
    metrics: createMetrics(),
  });
  onTestFinished(() => server.close());
  return `http://127.0.0.1:${server.port}`;
}

const item = (idempotencyKey: string, amount = 1) => ({
  type: 'wallet.credit',
  idempotencyKey,
  input: { userId: 'ann', currency: 'EUR', amount },
});

async function post(url: string, body: unknown) {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      authorization: 'Bearer x',
      'content-type': 'application/json',
      'idempotency-key': 'k',
    },
    body: JSON.stringify(body),
  });
  const retryAfter = response.headers.get('retry-after');
  return { status: response.status, retryAfter, body: await response.json() };
}

const full = new AppError('backlog_full', 'Too much is waiting', { retryAfterSeconds: 5 });
const refuseAll: Ingest['submit'] = async (submissions) =>
  submissions.map(() => ({ kind: 'refused', error: full }));

describe('when no more work can be taken', () => {
  it('an operation is answered 503 with the time to come back', async () => {
    const url = await serve(refuseAll);
    const { idempotencyKey: _key, ...operation } = item('a');
    expect(await post(`${url}/v1/operations`, operation)).toMatchObject({
      status: 503,
      retryAfter: '5',
      body: { code: 'backlog_full', retryable: true },
    });
  });

  it('so is a bulk of which nothing was taken, also when some of it was wrong anyway', async () => {
    const url = await serve(refuseAll);
    expect(await post(`${url}/v1/operations/bulk`, [item('a'), item('b', 0)])).toMatchObject({
      status: 503,
      retryAfter: '5',
      body: { code: 'backlog_full' },
    });
  });

  it('a bulk that was taken in part says so item by item', async () => {
    const lost = new AppError('ledger_unavailable', 'Try again');
    const url = await serve(async (submissions) =>
      submissions.map((_submission, index) =>
        index === 0 ? { kind: 'refused', error: lost } : { kind: 'refused', error: conflict },
      ),
    );
    expect(await post(`${url}/v1/operations/bulk`, [item('a'), item('b')])).toMatchObject({
      status: 200,
      body: {
        refused: 2,
        results: [
          { index: 0, status: 503, problem: { code: 'ledger_unavailable', retryable: true } },
          { index: 1, status: 409, problem: { operationId: 'op_1', retryable: false } },
        ],
      },
    });
  });

  it('an error that nobody foresaw is a 500 that tells nothing', async () => {
    const url = await serve(async () => {
      throw new TypeError('reading properties of a secret');
    });
    const { idempotencyKey: _key, ...operation } = item('a');
    const answer = await post(`${url}/v1/operations`, operation);
    expect(answer).toMatchObject({ status: 500, body: { code: 'internal', retryable: true } });
    expect(JSON.stringify(answer)).not.toContain('secret');
  });
});

const conflict = new AppError('idempotency_conflict', 'Another request', {
  context: { operationId: 'op_1' },
});

describe('bodies under way', () => {
  it('too large together for one server are refused for now, and room comes back', async () => {
    let answer = (): void => undefined;
    const held = new Promise<void>((resolve) => (answer = resolve));
    let waiting = 0;
    const url = await serve(async (submissions) => {
      waiting += 1;
      await held;
      return submissions.map(() => ({ kind: 'refused' as const, error: full }));
    });
    const other = await serve(async (submissions) =>
      submissions.map(() => ({ kind: 'refused' as const, error: full })),
    );
    const { idempotencyKey: _key, ...operation } = item('a');
    const send = (to = url) => postText(`${to}/v1/operations`, JSON.stringify(operation) + PADDING);
    const room = Math.floor(LIMITS.bodiesBytesMax / PADDING.length);
    const sent = Array.from({ length: room }, () => send());
    await expect.poll(() => waiting, { timeout: 20_000 }).toBeGreaterThan(room - 2);
    // At the most one more has found room.
    const late = await Promise.race([send(), send()]);
    expect(late).toEqual({ status: 503, retryAfter: '1', code: 'bodies_full' });
    // Another server of this process has room of its own.
    expect((await send(other)).code).toBe('backlog_full');
    answer();
    const codes = (await Promise.all(sent)).map(({ code }) => code);
    expect(codes).toContain('backlog_full');
    expect((await send()).code).toBe('backlog_full');
  });
});

const PADDING = ' '.repeat(1_000_000);

async function postText(url: string, body: string) {
  const headers = {
    authorization: 'Bearer x',
    'content-type': 'application/json',
    'idempotency-key': 'k',
  };
  const response = await fetch(url, { method: 'POST', headers, body });
  const { code } = (await response.json()) as { readonly code?: string };
  return { status: response.status, retryAfter: response.headers.get('retry-after'), code };
}
