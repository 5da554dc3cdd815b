import { randomBytes } from 'node:crypto';
import { expect, onTestFinished } from 'vitest';
import { parseEnv } from '../../../config/env.ts';
import { readDatabaseTime } from '../../../core/infra/database-clock.ts';
import { systemClock } from '../../../core/kernel/clock.ts';
import type { Registry } from '../../../core/operations/define.ts';
import type { OperationDoc } from '../../../core/operations/operation.ts';
import { isSettled } from '../../../core/operations/status.ts';
import { createLogger } from '../../../core/telemetry/logger.ts';
import { type Queues, openQueues } from '../../../queues/producer.ts';
import { expectEffects, expectSoundBooks } from '../books.ts';
import { type Arena, openArena, testUrl } from '../saga-arena.ts';
import { recordRepairs } from './repairs.ts';
import { type WorkerProcess, startWorkerProcess, until } from './worker-process.ts';
import { allOf } from '../../../core/kernel/every.ts';

/** What P4 allows after a fault has ended. */
const HEAL_MS_MAX = 45_000;

/** A database, queues, a payment provider and real processes on them, to be broken. */
export interface Stage extends Arena {
  readonly queues: Queues;
  readonly env: Readonly<Record<string, string>>;
  /** A worker with short leases and frequent sweeps; killed when the test ends. */
  worker(extra?: Readonly<Record<string, string>>): Promise<WorkerProcess>;
  /** Database time: what happens from now on is repair. */
  healed(): Promise<Date>;
  /**
   * Waits until every operation is terminal or parked, at most 45 s after the heal; then the books,
   * and the effect of every operation in the ledger and at the provider, are those of its state.
   */
  expectRepaired(repair: Repair): Promise<readonly OperationDoc[]>;
}

interface Repair {
  /** Under which the figures are printed: the window, and what was done. */
  readonly fault: string;
  readonly healedAt: Date;
  /** By default all that there are. */
  readonly ids?: readonly string[];
}

interface StageOptions {
  readonly mongoUrl?: string;
  readonly redisUrl?: string;
  /** Where the workers find Redis, when it is not where the test does. */
  readonly registry?: Registry;
}

export async function openStage(options: StageOptions = {}): Promise<Stage> {
  const prefix = `sg-${randomBytes(4).toString('hex')}`;
  const urls = {
    MONGO_URL: options.mongoUrl ?? testUrl('MONGO_URL'),
    REDIS_URL: options.redisUrl ?? testUrl('REDIS_URL'),
  };
  const base = { NODE_ENV: 'test', ...urls, QUEUE_PREFIX: prefix };
  const logger = createLogger({ level: 'silent', service: 'test' });
  const queues = openQueues({ env: parseEnv(base), logger, clock: systemClock });
  await until('Redis', () => (queues.connection.status === 'ready' ? true : undefined));
  const arena = await openArena({
    mongoUrl: urls.MONGO_URL,
    publisher: queues.publisher,
    ...(options.registry !== undefined && { registry: options.registry }),
  });
  const { mongo } = arena;
  // A transaction outlives its client until then: MongoDB's own 60 s are beyond our 45.
  const limit = { setParameter: 1, transactionLifetimeLimitSeconds: 10 };
  await mongo.client.db('admin').command(limit);
  const env = {
    ...base,
    MONGO_DB: mongo.db.databaseName,
    SANDBOX_URL: arena.sandbox.url,
    WORKER_POOLS: 'settlement,saga,recovery',
  };
  const operations = mongo.db.collection<OperationDoc>('operations', { useBigInt64: true });
  const all = (ids: readonly string[] | undefined): Promise<OperationDoc[]> =>
    operations
      .find(ids === undefined ? {} : { _id: { $in: ids as OperationDoc['_id'][] } })
      .toArray();

  return {
    ...arena,
    queues,
    env,
    worker: async (extra = {}) => {
      const worker = await startWorkerProcess({ ...env, ...extra });
      onTestFinished(async () => {
        worker.kill('SIGKILL');
        await worker.ended;
      });
      return worker;
    },
    healed: async () => (await readDatabaseTime(mongo.db)).now,
    expectRepaired: async ({ fault, healedAt, ids }) => {
      let found: readonly OperationDoc[] = [];
      await until(
        `the end of ${fault}`,
        async () => {
          found = await all(ids);
          return allOf(found, ({ status }) => isSettled(status)) ? true : undefined;
        },
        HEAL_MS_MAX + 5_000,
      ).catch((error: unknown) => {
        throw new Error(`still open: ${stillOpen(found)}`, { cause: error });
      });
      const tookMs = found.map((operation) => repairMs(operation, healedAt));
      expect(Math.max(0, ...tookMs), `milliseconds of repair: ${fault}`).toBeLessThan(HEAL_MS_MAX);
      recordRepairs(fault, tookMs);
      await expectSoundBooks(mongo.db);
      await expectEffects(mongo.db, arena.sandbox.payments());
      return found;
    },
    close: async () => {
      await Promise.all(
        [...queues.byName.values()].map((queue) =>
          queue.obliterate({ force: true }).catch(() => undefined),
        ),
      );
      await queues.close();
      await arena.close();
    },
  };
}

function stillOpen(operations: readonly OperationDoc[]): string {
  const open = operations.filter(({ status }) => !isSettled(status));
  const lines = open.slice(0, 10).map((operation) => {
    const { _id, type, status, dispatch, steps = [], leaseUntil, nextCheckAt } = operation;
    const step = steps.map(({ name, status: state }) => `${name} ${state}`).join(', ');
    const times = `lease ${String(leaseUntil?.toISOString())}, check ${String(nextCheckAt?.toISOString())}`;
    return `${_id} ${type} ${status} seq ${String(dispatch.seq)} [${step}] ${times}`;
  });
  return `${String(open.length)} of ${String(operations.length)}\n${lines.join('\n')}`;
}

function repairMs({ completedAt, updatedAt }: OperationDoc, healedAt: Date): number {
  const endedAt = completedAt ?? updatedAt ?? healedAt;
  return Math.max(0, endedAt.getTime() - healedAt.getTime());
}
