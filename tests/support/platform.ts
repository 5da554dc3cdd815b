import { expect, onTestFinished } from 'vitest';
import { parseEnv, type Env } from '../../config/env.ts';
import { type DatabaseTime, readDatabaseTime } from '../../core/infra/database-clock.ts';
import type { Json } from '../../core/kernel/canonical.ts';
import { createIngest } from '../../core/ingest/ingest.ts';
import { OPERATIONS, type OperationType } from '../../core/operation-types/registry.ts';
import type { Ingest, Submission, SubmissionOutcome } from '../../core/ingest/submission.ts';
import { type Platform, openPlatform } from '../../runtime/platform.ts';
import type { OperationDoc } from '../../core/operations/operation.ts';
import type { JobPublisher } from '../../core/operations/ports.ts';
import {
  type OperationStore,
  createOperationStore,
} from '../../core/operations/operation-store.ts';
import { isSettled } from '../../core/operations/status.ts';
import { collection } from '../../core/infra/collections.ts';
import { verifyLedger } from '../../core/ledger/verify/verify-store.ts';
import { ledgerRules } from '../../core/operation-types/ledger-rules.ts';
import { laneQueue } from '../../queues/catalog.ts';
import { type Queues, openQueues } from '../../queues/producer.ts';
import { type TestDatabase, openTestDatabase } from './database.ts';
import { until } from './wait.ts';
import { allOf } from '../../core/kernel/every.ts';

export const TENANT = 'default';

/** One process of ours, inside the test's: a platform with queues and an ingest. */
export interface Instance {
  readonly platform: Platform;
  readonly queues: Queues;
  readonly ingest: Ingest;
  readonly store: OperationStore;
  readonly databaseTime: () => Promise<DatabaseTime>;
  close(): Promise<void>;
}

/** A throw-away database with processes on it; everything is closed when the test ends. */
export interface World {
  readonly database: TestDatabase;
  /** The first process. */
  readonly node: Instance;
  /** Another one, with connections of its own. */
  open(overrides?: Partial<Env>): Promise<Instance>;
}

interface WorldOptions {
  /** Emit the driver's command events (`client.on('commandStarted', …)`). */
  readonly monitor?: boolean;
}

const open = new Set<Instance>();

/** Opens a world for the current test. */
export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const sockets = openSockets();
  const database = await openTestDatabase();
  // Hooks run the last first: what is open is closed before the database goes.
  onTestFinished(async () => {
    for (const node of [...open].reverse()) await node.close();
    await until(() => openSockets() <= sockets, 'every connection that the test opened is closed');
  });
  const isWatched = options.monitor === true;
  const mongoUrl = isWatched ? `${database.mongoUrl}&monitorCommands=true` : database.mongoUrl;
  const openNode = (overrides: Partial<Env> = {}): Promise<Instance> =>
    startNode({ ...database, mongoUrl }, overrides);
  return { database, node: await openNode(), open: openNode };
}

/** Connections that keep this process alive. */
function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
}

async function startNode(database: TestDatabase, overrides: Partial<Env>): Promise<Instance> {
  const parsed = parseEnv({
    NODE_ENV: 'test',
    MONGO_URL: database.mongoUrl,
    MONGO_DB: database.name,
    REDIS_URL: database.redisUrl,
    QUEUE_PREFIX: database.name,
    LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'silent',
  });
  const platform = await openPlatform({ ...parsed, ...overrides }, 'test');
  const queues = openQueues(platform);
  platform.lifecycle.onClose('queues', () => queues.close());
  const store = createOperationStore(platform.mongo.db);
  const databaseTime = () => readDatabaseTime(platform.mongo.db);
  const ingest = enqueuedIngest(queues.publisher, (publisher) =>
    createIngest({
      ...platform,
      ...{ store, databaseTime, publisher, backlog: () => false },
      ...{ lanes: platform.env.SETTLEMENT_LANES, laneQueue },
    }),
  );
  platform.lifecycle.onClose('ingest', () => ingest.drain());
  const node: Instance = {
    platform,
    queues,
    ingest,
    store,
    databaseTime,
    close: async () => {
      open.delete(node);
      await platform.lifecycle.close();
    },
  };
  open.add(node);
  if (overrides.REDIS_URL === undefined) {
    await until(() => queues.connection.status === 'ready', 'Redis answers');
  }
  return node;
}

/** An ingest whose answers wait for their jobs, which those of the API do not. */
function enqueuedIngest(
  publisher: JobPublisher,
  create: (publisher: JobPublisher) => Ingest,
): Ingest {
  const underWay = new Set<Promise<void>>();
  const ingest = create({
    ...publisher,
    publishOperations: (jobs) => {
      const enqueue = publisher.publishOperations(jobs);
      underWay.add(enqueue);
      return enqueue.finally(() => underWay.delete(enqueue));
    },
  });
  return {
    ...ingest,
    submit: async (...call) => {
      const outcomes = await ingest.submit(...call);
      await Promise.allSettled(underWay);
      return outcomes;
    },
  };
}

type Extras = Partial<Omit<Submission, 'definition' | 'input'>>;

let keys = 0;

/** A submission as the API would make it: the input goes through the type's schema. */
export function submission(type: OperationType, input: unknown, extras: Extras = {}): Submission {
  const definition = OPERATIONS[type];
  keys += 1;
  return {
    definition,
    input: definition.input.parse(input) as Json,
    idempotencyKey: `key-${keys}`,
    ...extras,
  };
}

/** Submits and expects every one to be accepted. */
export async function accept(
  node: Pick<Instance, 'ingest'>,
  submissions: readonly Submission[],
): Promise<readonly OperationDoc[]> {
  const outcomes = await node.ingest.submit(submissions, context());
  return outcomes.map((outcome) => {
    if (outcome.kind !== 'accepted') throw new Error(`not accepted: ${describe(outcome)}`);
    return outcome.operation;
  });
}

function describe(outcome: SubmissionOutcome): string {
  return outcome.kind === 'refused' ? outcome.error.message : outcome.kind;
}

export function context(tenantId: string = TENANT) {
  return { tenantId, correlationId: 'test' };
}

/** The operations as stored, in the order of the ids given. */
export async function readOperations(
  { platform }: Pick<Instance, 'platform'>,
  operations: readonly Pick<OperationDoc, '_id'>[],
): Promise<readonly OperationDoc[]> {
  const ids = operations.map(({ _id }) => _id);
  const found = await collection<OperationDoc>(platform.mongo.db, 'operations')
    .find({ _id: { $in: ids } })
    .toArray();
  const byId = new Map(found.map((operation) => [operation._id, operation]));
  return ids.map((id) => {
    const operation = byId.get(id);
    if (operation === undefined) throw new Error(`there is no operation ${id}`);
    return operation;
  });
}

/** Waits until all of them are settled; returns them as stored. */
export async function settled(
  node: Pick<Instance, 'platform'>,
  operations: readonly Pick<OperationDoc, '_id'>[],
  deadlineMs = 20_000,
): Promise<readonly OperationDoc[]> {
  let last: readonly OperationDoc[] = [];
  await until(
    async () => {
      last = await readOperations(node, operations);
      return allOf(last, ({ status }) => isSettled(status));
    },
    () => `operations settle; still open: ${stillOpen(last)}`,
    deadlineMs,
  );
  return last;
}

function stillOpen(operations: readonly OperationDoc[]): string {
  return operations
    .filter(({ status }) => !isSettled(status))
    .map(({ _id, type, status }) => `${_id} ${type} ${status}`)
    .join(', ');
}

/** The statuses and error codes of operations, for comparing at a glance. */
export function outcomesOf(operations: readonly OperationDoc[]): readonly string[] {
  return operations.map(({ status, error }) =>
    error === undefined ? status : `${status} ${error.code}`,
  );
}

/** The ledger holds: entries sum to zero, wallets equal the fold of their entries, and so on. */
export async function expectSoundLedger({ platform }: Pick<Instance, 'platform'>): Promise<void> {
  const report = await verifyLedger(platform.mongo.db, { rules: ledgerRules(OPERATIONS) });
  expect(report.violations).toEqual([]);
}
