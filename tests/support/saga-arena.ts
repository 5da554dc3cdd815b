import { LIMITS } from '../../config/limits.ts';
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { ensureCollections } from '../../core/infra/schema.ts';
import { readDatabaseTime } from '../../core/infra/database-clock.ts';
import { type Mongo, openMongo } from '../../core/infra/mongo.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { type Failpoint, noFailpoint } from '../../core/kernel/failpoint.ts';
import { newToken, walletIdOf } from '../../core/kernel/ids.ts';
import type { HoldDoc, WalletDoc } from '../../core/ledger/documents.ts';
import { createIngest } from '../../core/ingest/ingest.ts';
import { parseSubmission } from '../../core/ingest/parse-submission.ts';
import { createProviders } from '../../core/payments/providers/registry.ts';
import { OPERATIONS } from '../../core/operation-types/registry.ts';
import type { Registry } from '../../core/operations/define.ts';
import {
  createTenantPolicies,
  createTenantSetup,
} from '../../core/provisioning/tenant-services-store.ts';
import { createBatchRunner } from '../../core/settlement/batch-runner.ts';
import { bindOperation } from '../../core/settlement/decide.ts';
import { type Sagas, createSagas } from '../../runtime/sagas.ts';
import { createLocalBreakers } from '../../core/notifications/admission/breaker-cache.ts';
import type { BreakerTuning } from '../../core/notifications/admission/breaker.ts';
import { PAYMENT_BREAKER, createPaymentAdmission } from '../../runtime/payments.ts';
import { createLedgerStore } from '../../core/ledger/ledger-store.ts';
import { openLines } from '../../core/operations/lines.ts';
import { createOperationStore } from '../../core/operations/operation-store.ts';
import type { LeaseTiming } from '../../core/saga/heartbeat.ts';
import { type OperationDoc, type OperationJob } from '../../core/operations/operation.ts';
import type { JobPublisher } from '../../core/operations/ports.ts';
import type { SagaServices } from '../../core/operations/services.ts';
import { createSettleStore } from '../../core/operations/settle-store.ts';
import { createOutboxStore } from '../../core/events/outbox-store.ts';
import { createLogger } from '../../core/telemetry/logger.ts';
import { createMetrics } from '../../core/telemetry/metrics.ts';
import { type Sandbox, startSandbox } from '../../scripts/dev/sandbox/server.ts';

const HASTY: LeaseTiming = { leaseMs: 3_000, heartbeatMs: 700, fenceMs: 500 };

/** MongoDB, ledger, sandbox and saga engines of one test, with a publisher that only remembers. */
export interface Arena {
  readonly mongo: Mongo;
  readonly sandbox: Sandbox;
  readonly tenantId: string;
  readonly published: OperationJob[];
  readonly publisher: JobPublisher;
  engine(options?: EngineOptions): Sagas;
  /** Accepts an operation and settles it when it is atomic. */
  submit(type: string, input: unknown, extra?: Readonly<Record<string, unknown>>): Promise<string>;
  /** Accepts operations as an API process would, and leaves them to the workers. */
  accept(requests: readonly Request[]): Promise<readonly OperationDoc[]>;
  /** Accepts atomic operations and settles them in one transaction. */
  settleAll(requests: readonly Request[]): Promise<void>;
  operation(id: string): Promise<OperationDoc>;
  wallet(userId: string, currency?: string): Promise<WalletDoc>;
  holds(): Promise<HoldDoc[]>;
  close(): Promise<void>;
}

/** As a client sends it. */
export interface Request {
  readonly type: string;
  readonly input: unknown;
  readonly runAt?: string;
}

interface ArenaOptions {
  /** By default those of the environment, and a publisher that only remembers. */
  readonly mongoUrl?: string;
  readonly publisher?: JobPublisher;
  readonly registry?: Registry;
}

export interface EngineOptions {
  readonly breaker?: BreakerTuning;
  /** By when the payment provider has to answer. */
  readonly attemptMs?: number;
  /** In the place of the sandbox's address. */
  readonly payments?: { readonly url: string };
  readonly failpoint?: Failpoint;
  readonly timing?: LeaseTiming;
  readonly registry?: Registry;
  readonly services?: Partial<SagaServices>;
}

export function testUrl(name: 'MONGO_URL' | 'REDIS_URL'): string {
  const url = process.env[name];
  if (url === undefined) throw new Error(`${name} is not set: run the tests by npm test`);
  return url;
}

export async function openArena(options: ArenaOptions = {}): Promise<Arena> {
  const name = expect.getState().testPath ?? 'arena';
  const place = createHash('sha256').update(name).digest('hex').slice(0, 8);
  const database = `sg_${place}_${newToken().slice(0, 6)}`;
  const metrics = createMetrics();
  const logger = createLogger({ level: process.env['LOG_LEVEL'] ?? 'silent', service: 'test' });
  const url = options.mongoUrl ?? testUrl('MONGO_URL');
  const known: Registry = options.registry ?? OPERATIONS;
  const mongo = await openMongo({ url, database, appName: database });
  await ensureCollections(mongo.db, systemClock);
  const sandbox = await startSandbox();
  const tenantId = 'default';
  const published: OperationJob[] = [];
  const publisher: JobPublisher = options.publisher ?? {
    publishOperations: async (jobs) => {
      published.push(...jobs);
    },
    publishEvents: async () => undefined,
    republishEvents: async () => undefined,
    promote: async () => undefined,
    nextJobs: async () => [],
    findJobs: async (jobs) => jobs.map(() => 'gone'),
  };
  const clock = systemClock;
  const random = Math.random;
  const hints = { announce: () => undefined };
  const shared = { publisher, clock, logger, metrics, random, hints };
  const databaseTime = () => readDatabaseTime(mongo.db);
  const ingest = createIngest({
    ...shared,
    store: createOperationStore(mongo.db),
    databaseTime,
    failpoint: noFailpoint,
    backlog: () => false,
    lanes: LIMITS.lanes,
    laneQueue: (lane) => `settlement-${String(lane)}`,
  });
  const runner = createBatchRunner({
    ...shared,
    workerId: 'test',
    ledger: createLedgerStore(mongo.client, mongo.db),
    operations: createSettleStore(mongo.db),
    outbox: createOutboxStore(mongo.db),
    lines: openLines(mongo.db, publisher),
    databaseTime,
    failpoint: noFailpoint,
    stripeOf: (slot) => slot,
  });
  const settle = async (operations: readonly OperationDoc[]): Promise<void> => {
    let left = operations.map((operation) => bindOperation(known, operation));
    for (let tries = 0; tries < 20 && left.length > 0; tries += 1) {
      const { settled } = await runner.run(left, 0);
      // What is left met another transaction.
      left = left.filter(({ operation }) => !settled.includes(operation._id));
    }
    if (left.length > 0) throw new Error(`${String(left.length)} operations do not settle`);
  };
  const accept = async (requests: readonly Request[], extra = {}) => {
    const submissions = requests.map((request) => {
      const context = { registry: known, currencies: [] };
      const parsed = parseSubmission({ ...request, ...extra }, newToken(), context);
      if (!parsed.ok) throw new Error(parsed.failure.detail);
      return parsed.value;
    });
    const outcomes = await ingest.submit(submissions, { tenantId, correlationId: 'test' });
    return outcomes.map((outcome) => {
      if (outcome.kind === 'refused') throw outcome.error;
      return outcome.operation;
    });
  };
  const sagas: Sagas[] = [];
  const operations = mongo.db.collection<OperationDoc>('operations', { useBigInt64: true });
  const find = async (id: string): Promise<OperationDoc> => {
    const found = await operations.findOne({ _id: id as OperationDoc['_id'] });
    if (found === null) throw new Error(`no operation ${id}`);
    return found;
  };
  return {
    mongo,
    sandbox,
    tenantId,
    published,
    publisher,
    engine: ({ failpoint = noFailpoint, timing = HASTY, registry, services, ...rest } = {}) => {
      const { breaker = PAYMENT_BREAKER, attemptMs, payments } = rest;
      const breakers = createLocalBreakers(clock, breaker);
      const providerDeps = {
        admission: createPaymentAdmission({
          platform: { clock, random, logger, metrics },
          breakers,
        }),
        ...(attemptMs !== undefined && { attemptMs }),
      };
      const processId = `test-${newToken()}`;
      const made = createSagas({
        platform: {
          ...{ mongo, clock, random, failpoint, logger, metrics, processId },
          databaseClock: databaseTime,
        },
        publisher,
        hints,
        timing,
        services: {
          payments: createProviders({ sandbox: { url: sandbox.url, ...payments } }, providerDeps),
          policies: createTenantPolicies(mongo.db),
          tenants: createTenantSetup(mongo.db, clock),
          ...services,
        },
        registry: registry ?? known,
      });
      sagas.push(made);
      return made;
    },
    accept,
    settleAll: async (requests) => settle(await accept(requests)),
    submit: async (type, input, extra = {}) => {
      const [operation] = await accept([{ type, input }], extra);
      if (operation === undefined) throw new Error(`no outcome of ${type}`);
      if (operation.lane !== undefined && operation.status === 'accepted') {
        await settle([operation]);
      }
      return operation._id;
    },
    operation: find,
    wallet: async (userId, currency = 'EUR') => {
      const wallets = mongo.db.collection<WalletDoc>('wallets', { useBigInt64: true });
      const found = await wallets.findOne({ _id: walletIdOf(tenantId, userId, currency) });
      if (found === null) throw new Error(`no wallet of ${userId}`);
      return found;
    },
    holds: () => mongo.db.collection<HoldDoc>('holds', { useBigInt64: true }).find().toArray(),
    close: async () => {
      await Promise.all(sagas.map(({ heartbeat }) => heartbeat.close()));
      await ingest.drain();
      await sandbox.close();
      await mongo.db.dropDatabase();
      await mongo.close();
    },
  };
}
