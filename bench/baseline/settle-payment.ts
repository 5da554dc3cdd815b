import type { Db, MongoClient } from 'mongodb';
import { collection } from '../../core/infra/collections.ts';
import { assert, present } from '../../core/kernel/assert.ts';
import type { Json } from '../../core/kernel/canonical.ts';
import type { OperationId } from '../../core/kernel/ids.ts';
import type { OperationDoc } from '../../core/operations/operation.ts';
import type { OutboxRow } from '../../core/events/outbox.ts';
import type { StepRecord } from '../../core/operations/step-record.ts';
import { type Booked, type BookSteps, createBookSteps } from './book-steps.ts';
import type { CallProvider, ProviderCall } from './provider.ts';

interface PaymentDeps {
  readonly client: MongoClient;
  readonly db: Db;
  readonly workerId: string;
  /** Jobs that it works on at once. */
  readonly concurrency: number;
  readonly callProvider: CallProvider;
}

/** Takes one deposit or withdrawal to its end; gives its outbox row, or nothing: somebody has it. */
export type SettlePayment = (operationId: string) => Promise<OutboxRow | undefined>;

const LEASE_MS = 30_000;

/**
 * What one would write first, with care: claim the operation, call the provider under a key of the
 * call's own, note what it said, and book in one transaction that ends the operation as well. The
 * decisions, the documents and the statements of the transaction are ours; a call is noted by one
 * update. No intent is noted before a call (the key makes a repeat harmless), and no rule is looked up.
 */
export function createSettlePayment(deps: PaymentDeps): SettlePayment {
  const { db, workerId: owner } = deps;
  const operations = collection<OperationDoc>(db, 'operations');
  const bookSteps = createBookSteps(deps);
  return async (operationId) => {
    const leaseUntil = new Date(Date.now() + LEASE_MS);
    const operation = await operations.findOneAndUpdate(
      { _id: operationId as OperationId, status: { $in: ['accepted', 'running'] } },
      {
        $set: { status: 'running', owner, leaseUntil, nextCheckAt: leaseUntil },
        $inc: { epoch: 1 },
      },
      { returnDocument: 'after' },
    );
    if (operation === null) return undefined;
    const payment = createPayment({ ...deps, bookSteps }, operation);
    return operation.type === 'deposit' ? deposit(payment) : withdraw(payment);
  };
}

async function deposit(payment: Payment): Promise<OutboxRow | undefined> {
  await payment.call('authorise', 'authorisations');
  await payment.call('capture', 'captures', 'authorise');
  return payment.book(['credit', 'notify'], 'last');
}

async function withdraw(payment: Payment): Promise<OutboxRow | undefined> {
  await payment.book(['hold'], 'first');
  await payment.call('payout', 'payouts');
  return payment.book(['capture', 'notify'], 'last');
}

interface Payment {
  /** `of`: the step whose call it is about. */
  call(step: string, path: ProviderCall['path'], of?: string): Promise<void>;
  /** Ledger steps of the definition in one transaction, with what the operation becomes by them. */
  book(steps: readonly string[], which: 'first' | 'last'): Promise<OutboxRow | undefined>;
}

function createPayment(
  deps: PaymentDeps & { readonly bookSteps: BookSteps },
  operation: OperationDoc,
): Payment {
  const { db, workerId, callProvider, bookSteps } = deps;
  const { _id, epoch } = operation;
  const operations = collection<OperationDoc>(db, 'operations');
  const mine = { _id, epoch, status: 'running' } as const;
  let steps: readonly StepRecord[] = operation.steps ?? [];
  const isDone = (step: string): boolean => steps.some(({ name }) => name === step);
  const withDone = (name: string, startedAt: Date, result: Json | undefined): StepRecord => {
    const shared = { name, status: 'done', attempt: 1, epoch, by: workerId } as const;
    const times = { startedAt, finishedAt: new Date() };
    return { ...shared, ...times, ...(result !== undefined && { result }) };
  };
  return {
    call: async (step, path, of) => {
      if (isDone(step)) return;
      const startedAt = new Date();
      const { amount, currency, instrument } = operation.input as unknown as ProviderCall['body'];
      const authorised = of === undefined ? {} : { of: `${_id}.${of}` };
      const body = { amount, currency, instrument, ...authorised };
      const reference = await callProvider({ path, key: `${_id}.${step}`, body });
      steps = [...steps, withDone(step, startedAt, { reference })];
      const noted = await operations.updateOne(mine, { $set: { steps, updatedAt: new Date() } });
      assert(noted.matchedCount === 1, 'nobody else has the operation');
    },
    book: async (names, which) => {
      if (which === 'first' && isDone(present(names[0], 'a step'))) return undefined;
      const at = new Date();
      let row: OutboxRow | undefined;
      const before = steps;
      await bookSteps({ operation, steps: before, names, at }, async (booked, session) => {
        steps = [...before, ...booked.done.map(([name, result]) => withDone(name, at, result))];
        row = which === 'last' ? booked.row : undefined;
        const update =
          which === 'last' ? ending(steps, { at, workerId, booked }) : noting(steps, at);
        const moved = await operations.updateOne(mine, update, { session });
        assert(moved.matchedCount === 1, 'nobody else has the operation');
        return row;
      });
      return row;
    },
  };
}

function noting(steps: readonly StepRecord[], at: Date) {
  return { $set: { steps, updatedAt: at } };
}

interface Ending {
  readonly at: Date;
  readonly workerId: string;
  readonly booked: Booked;
}

function ending(steps: readonly StepRecord[], { at, workerId, booked }: Ending) {
  const { reference } = booked;
  return {
    $set: {
      ...{ status: 'succeeded' as const, steps, completedAt: at, updatedAt: at },
      ...(reference !== undefined && { result: { reference } }),
      settledBy: { worker: workerId },
    },
    $unset: {
      ...{ nextCheckAt: 1 as const, line: 1 as const },
      ...{ owner: 1 as const, leaseUntil: 1 as const },
    },
  };
}
