import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createIntervene } from '../../core/operations/intervene.ts';
import { OPERATIONS } from '../../core/operation-types/registry.ts';
import { RISK_SIGNAL } from '../../core/operation-types/withdrawal.ts';
import { createInterventionStore } from '../../core/operations/intervention-store.ts';
import { openLines } from '../../core/operations/lines.ts';
import { createOutboxStore } from '../../core/events/outbox-store.ts';
import { createLogger } from '../../core/telemetry/logger.ts';
import { createMetrics } from '../../core/telemetry/metrics.ts';
import { expectSoundBooks } from '../support/books.ts';
import { type Arena, openArena } from '../support/saga-arena.ts';

let arena: Arena;
let store: ReturnType<typeof createInterventionStore>;
let intervene: ReturnType<typeof createIntervene>;
const tenant = { tenantId: 'default', currencies: [] };

beforeAll(async () => {
  arena = await openArena();
  const { db } = arena.mongo;
  store = createInterventionStore(db, createOutboxStore(db));
  intervene = createIntervene({
    store,
    lines: openLines(db, arena.publisher),
    publisher: arena.publisher,
    hints: { announce: () => undefined },
    logger: createLogger({ level: 'silent', service: 'test' }),
    metrics: createMetrics(),
    registry: OPERATIONS,
  });
  const policy = { currency: 'EUR', withdrawalRisk: { review: '100' } };
  const tenants = db.collection<{ _id: string }>('tenants');
  await tenants.updateOne({ _id: 'default' }, { $set: { policies: [policy] } }, { upsert: true });
});
afterAll(() => arena.close());

let users = 0;
async function parked(): Promise<{ id: string; userId: string }> {
  users += 1;
  const userId = `i${String(users)}`;
  const wallet = { userId, currency: 'EUR' };
  await arena.submit('user.create', { userId, wallets: [{ currency: 'EUR' }] });
  await arena.submit('wallet.credit', { ...wallet, amount: 1_000 });
  const id = await arena.submit('withdrawal', { ...wallet, amount: 400, instrument: 'account' });
  await arena.engine().engine.run(id);
  expect((await arena.operation(id)).status).toBe('waiting');
  return { id, userId };
}

const signal = (id: string, approve: boolean) =>
  intervene(tenant, id, { kind: 'signal', name: RISK_SIGNAL, data: { approve }, actor: 'ann' });

describe('a withdrawal that waits for a person', () => {
  it('goes on when approved', async () => {
    const { id, userId } = await parked();
    expect((await signal(id, true)).status).toBe('accepted');
    await arena.engine().engine.run(id);
    expect((await arena.operation(id)).status).toBe('succeeded');
    expect((await arena.wallet(userId)).balance).toBe(600n);
  });

  it('is taken back when refused, and says by whom', async () => {
    const { id, userId } = await parked();
    await signal(id, false);
    await arena.engine().engine.run(id);
    const error = { code: 'risk_declined', detail: 'Refused by ann' };
    expect(await arena.operation(id)).toMatchObject({ status: 'compensated', error });
    expect(await arena.wallet(userId)).toMatchObject({ balance: 1_000n, lockedBalance: 0n });
  });

  it('is taken back when canceled', async () => {
    const { id, userId } = await parked();
    await intervene(tenant, id, { kind: 'cancel', actor: 'bob' });
    await arena.engine().engine.run(id);
    expect((await arena.operation(id)).status).toBe('canceled');
    expect(await arena.wallet(userId)).toMatchObject({ balance: 1_000n, lockedBalance: 0n });
    await expectSoundBooks(arena.mongo.db);
  });

  it('keeps an audit line of every intervention', async () => {
    const { id } = await parked();
    await signal(id, true);
    expect(await store.auditOf(tenant, id)).toMatchObject([
      { action: 'signal', actor: 'ann', before: 'waiting', after: 'accepted' },
    ]);
    await arena.engine().engine.run(id);
  });
});

describe('an operation that needs attention', () => {
  it('is retried by an admin and goes on from where it stood', async () => {
    const { id, userId } = await parked();
    await signal(id, true);
    const operations = arena.mongo.db.collection<{ _id: string }>('operations');
    await operations.updateOne(
      { _id: id },
      { $set: { status: 'needs_attention', error: { code: 'internal', detail: 'on request' } } },
    );
    await intervene(tenant, id, { kind: 'retry', actor: 'ann', note: 'looked at it' });
    await arena.engine().engine.run(id);
    expect((await arena.operation(id)).status).toBe('succeeded');
    expect((await arena.wallet(userId)).balance).toBe(600n);
  });

  it('is resolved with a note, and nothing else may be', async () => {
    const { id } = await parked();
    const resolve = {
      kind: 'resolve',
      status: 'canceled',
      actor: 'ann',
      note: 'paid by hand',
    } as const;
    await expect(intervene(tenant, id, resolve)).rejects.toMatchObject({ code: 'illegal_state' });
  });
});
