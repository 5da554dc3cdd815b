import { LIMITS } from '../../config/limits.ts';
import { collection } from '../../core/infra/collections.ts';
import { createDatabaseClock, readDatabaseTime } from '../../core/infra/database-clock.ts';
import type { OperationDefinition } from '../../core/operations/define.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { noFailpoint } from '../../core/kernel/failpoint.ts';
import type { WalletDoc } from '../../core/ledger/documents.ts';
import { openWallet } from '../../core/ledger/wallet.ts';
import { createIngest } from '../../core/ingest/ingest.ts';
import { OPERATIONS } from '../../core/operation-types/registry.ts';
import type { Ingest, Submission } from '../../core/ingest/submission.ts';
import { createOperationStore } from '../../core/operations/operation-store.ts';
import type { JobPublisher } from '../../core/operations/ports.ts';
import { createLogger } from '../../core/telemetry/logger.ts';
import { createMetrics } from '../../core/telemetry/metrics.ts';
import { laneQueue } from '../../queues/catalog.ts';
import { BASELINE_QUEUE, baselineJob } from '../baseline/queue.ts';
import type { Arena } from './arena.ts';
import { CURRENCY, type TransferInput, userName } from './transfers.ts';

export type Side = 'ours' | 'baseline';

export const TENANT = 'default';
const OVERDRAFT = 1_000_000_000_000n;

/** Wallets that can pay without end, as `user.create` leaves them. */
export async function openWallets({ db }: Arena, count: number): Promise<void> {
  const at = new Date();
  const wallets = collection<WalletDoc>(db, 'wallets');
  const docs = Array.from({ length: count }, (_, index) =>
    openWallet({
      tenantId: TENANT,
      userId: userName(index),
      currency: CURRENCY,
      overdraftLimit: OVERDRAFT,
      ownerBlocked: false,
      at,
    }),
  );
  for (let start = 0; start < docs.length; start += 2_000) {
    await wallets.insertMany(docs.slice(start, start + 2_000), { ordered: false });
  }
}

const CHUNK = 2_000;
/** These may have a megabyte each. */
const BATCH_CHUNK = 20;

/** Our own ingest, on the queue of a side. */
export function openIngest(arena: Arena, side: Side): Ingest {
  return createIngest({
    store: createOperationStore(arena.db),
    databaseTime: createDatabaseClock(() => readDatabaseTime(arena.db), systemClock),
    publisher: side === 'ours' ? patient(arena.queues.publisher) : baselinePublisher(arena),
    clock: systemClock,
    logger: createLogger({ level: 'error', service: 'bench' }),
    metrics: createMetrics(),
    failpoint: noFailpoint,
    backlog: () => false,
    lanes: LIMITS.lanes,
    laneQueue: side === 'ours' ? laneQueue : () => BASELINE_QUEUE,
  });
}

/** Makes transfers durable and enqueues them, by our own ingest for either side. */
export async function acceptTransfers(
  arena: Arena,
  side: Side,
  { inputs, label }: { readonly inputs: readonly TransferInput[]; readonly label: string },
): Promise<void> {
  await acceptAll(arena, side, { type: 'transfer', inputs, label });
}

export interface Accepted {
  readonly type: string;
  readonly inputs: readonly unknown[];
  readonly tenantId?: string;
}

/** The same for operations of any atomic type. */
export async function acceptAll(
  arena: Arena,
  side: Side,
  { type, inputs, tenantId = TENANT, label }: Accepted & { readonly label: string },
): Promise<void> {
  const ingest = openIngest(arena, side);
  const definition: OperationDefinition | undefined = Object.values(OPERATIONS).find(
    (one) => one.type === type,
  );
  if (definition === undefined) throw new Error(`there is no operation type ${type}`);
  const context = { tenantId, correlationId: `bench-${label}` };
  const chunk = type === 'batch' ? BATCH_CHUNK : CHUNK;
  // Large ones are the same object many times, and parsing it is dear.
  const parsed = new Map<unknown, Submission['input']>();
  const parse = (input: unknown): Submission['input'] => {
    const known = type === 'batch' ? parsed.get(input) : undefined;
    const found = known ?? (definition.input.parse(input) as Submission['input']);
    if (type === 'batch') parsed.set(input, found);
    return found;
  };
  for (let start = 0; start < inputs.length; start += chunk) {
    const submissions = inputs.slice(start, start + chunk).map((input, index): Submission => ({
      definition,
      input: parse(input),
      idempotencyKey: `${label}-${start + index}`,
    }));
    const outcomes = await ingest.submit(submissions, context);
    const refused = outcomes.find(({ kind }) => kind !== 'accepted');
    if (refused !== undefined) throw new Error(`not accepted: ${JSON.stringify(refused)}`);
  }
  await ingest.drain(); // an answer does not wait for its job
}

/** Before the clock starts every job has to be there, however slow Redis is for a moment. */
function patient(publisher: JobPublisher): JobPublisher {
  return {
    ...publisher,
    publishOperations: async (jobs) => {
      for (let tries = 1; ; tries += 1) {
        try {
          await publisher.publishOperations(jobs);
          return;
        } catch (error) {
          if (tries === 10) throw error;
          await systemClock.sleep(LIMITS.enqueuePauseMs);
        }
      }
    },
  };
}

function baselinePublisher(arena: Arena): JobPublisher {
  return {
    publishOperations: async (jobs) => {
      await arena.baseline.addBulk(jobs.map(baselineJob));
    },
    publishEvents: async () => undefined,
    republishEvents: async () => undefined,
    promote: async () => undefined,
    nextJobs: async () => [],
    findJobs: async () => [],
  };
}
