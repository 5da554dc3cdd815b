import { type ClientSession, type Db, type MongoClient, MongoError } from 'mongodb';
import { assert, present } from '../../core/kernel/assert.ts';
import type { Json } from '../../core/kernel/canonical.ts';
import { type DraftEvent, createBook } from '../../core/ledger/book.ts';
import { type LedgerTransaction, createLedgerStore } from '../../core/ledger/ledger-store.ts';
import { OPERATIONS } from '../../core/operation-types/registry.ts';
import type { OperationDoc } from '../../core/operations/operation.ts';
import { outboxRows } from '../../core/events/outbox-rows.ts';
import type { OutboxRow } from '../../core/events/outbox.ts';
import { textField } from '../../core/operations/services.ts';
import { createOutboxStore } from '../../core/events/outbox-store.ts';
import { type StepContext, legOffsetOf } from '../../core/operations/step.ts';
import type { StepRecord } from '../../core/operations/step-record.ts';
import { readsOf } from '../../core/operations/touches.ts';

interface Posting {
  readonly operation: OperationDoc;
  readonly steps: readonly StepRecord[];
  /** Ledger steps of the operation's definition. */
  readonly names: readonly string[];
  readonly at: Date;
}

export interface Booked {
  readonly done: readonly (readonly [name: string, result: Json | undefined])[];
  readonly row: OutboxRow;
  /** What the provider called the payment. */
  readonly reference: string | undefined;
}

/** Books in one transaction; `note` writes to it too, and says which row goes with it. */
export type BookSteps = (
  posting: Posting,
  note: (booked: Booked, session: ClientSession) => Promise<OutboxRow | undefined>,
) => Promise<void>;

interface BookDeps {
  readonly client: MongoClient;
  readonly db: Db;
  readonly concurrency: number;
}

/** By our own decisions and statements; every transaction at a time has stripes of its own. */
export function createBookSteps({ client, db, concurrency }: BookDeps): BookSteps {
  const ledger = createLedgerStore(client, db);
  const outbox = createOutboxStore(db);
  const free = Array.from({ length: concurrency }, (_, stripe) => stripe);
  return async (posting, note) => {
    const stripe = present(free.pop(), 'a free stripe');
    try {
      await patiently(() =>
        ledger.transact(async (transaction) => {
          const booked = await post(transaction, posting, stripe);
          const row = await note(booked, transaction.session);
          if (row !== undefined) await outbox.insert(transaction.session, [row]);
        }),
      );
    } finally {
      free.push(stripe);
    }
  };
}

async function post(
  transaction: LedgerTransaction,
  { operation, steps, names, at }: Posting,
  stripe: number,
): Promise<Booked> {
  const { _id: operationId, tenantId, input } = operation;
  const results = Object.fromEntries(steps.map(({ name, result }) => [name, result]));
  const context: StepContext<unknown> = {
    ...{ tenantId, operationId, input, results, signals: {} },
    ...{ hasWaitExpired: false, attempt: 1 },
  };
  const planned = plannedSteps(operation, names);
  const touched = planned.map(({ step }) => ({ tenantId, touches: step.touches(context) }));
  const book = createBook(await transaction.load(readsOf(touched, stripe)));
  const events: DraftEvent[] = [];
  const done: (readonly [string, Json | undefined])[] = [];
  for (const { step, index } of planned) {
    const scope = { tenantId, operationId, at, stripe };
    const draft = book.draft(scope, legOffsetOf(index, 'forward'));
    const decided = step.decide(draft, context);
    assert(decided.ok, 'the bench only pays what can be paid', { ...decided });
    book.apply(draft);
    events.push(...draft.events);
    done.push([step.name, decided.value]);
  }
  await transaction.write(book.changes());
  const reference = steps.flatMap(({ result }) => textField(result, 'reference') ?? []).at(-1);
  return { done, row: rowOf(operation, events, at), reference };
}

function plannedSteps({ type }: OperationDoc, names: readonly string[]) {
  const { saga } = type === 'deposit' ? OPERATIONS.deposit : OPERATIONS.withdrawal;
  const all = present(saga, 'the plan of a payment').steps;
  return names.map((name) => {
    const index = all.findIndex((step) => step.name === name);
    const step = all[index];
    assert(step?.kind === 'ledger', 'it is a step of the ledger', { name });
    return { step, index };
  });
}

function rowOf(
  { _id: operationId, tenantId, type, input }: OperationDoc,
  events: readonly DraftEvent[],
  at: Date,
): OutboxRow {
  const { userId } = input as unknown as { readonly userId: string };
  const told = [...events, { name: 'operation.succeeded', data: { type, userId } }];
  const listed = told.map((event, index) => ({
    id: `${operationId}.e${String(index)}`,
    operationId,
    ...event,
  }));
  const rows = outboxRows(new Map([[tenantId, listed]]), { batch: operationId, at });
  return present(rows[0], 'the outbox row of a payment');
}

const TRIES_MAX = 50;
const DUPLICATE_KEY = 11_000;

/** As the driver's `withTransaction`: again while the server says that others were in the way. */
async function patiently(work: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await work();
      return;
    } catch (error) {
      const isPassing =
        error instanceof MongoError &&
        (error.hasErrorLabel('TransientTransactionError') || error.code === DUPLICATE_KEY);
      if (!isPassing || tries >= TRIES_MAX) throw error;
    }
  }
}
