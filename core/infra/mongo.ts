import {
  type Db,
  MongoClient,
  type MongoClientOptions,
  type TransactionOptions,
  WriteConcern,
} from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { setControlDatabase } from './control-database.ts';
import { AppError } from '../kernel/errors.ts';
import { scrubbed } from '../kernel/scrub.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { logSlowQueries } from './slow-queries.ts';

/**
 * Every transaction: a majority snapshot, acknowledged by a majority with the journal on disk.
 * Set on the transaction itself, since concerns of a database or collection do not apply in one.
 */
export const TRANSACTION = {
  readConcern: { level: 'snapshot' },
  writeConcern: new WriteConcern('majority', undefined, true),
  readPreference: 'primary',
  maxCommitTimeMS: LIMITS.mongoMaxTimeMs,
} as const satisfies TransactionOptions;

export interface MongoOptions {
  readonly url: string;
  readonly database: string;
  /** The database is the control database of cells: tenants' work stands in databases of their own. */
  readonly isControl?: boolean;
  readonly appName: string;
  readonly metrics?: Metrics;
  /** Commands that take longer are logged. */
  readonly slow?: { readonly ms: number; readonly logger: Logger };
}

export interface Mongo {
  readonly client: MongoClient;
  readonly db: Db;
  close(): Promise<void>;
}

/**
 * Connects and returns the database handle. Reads default to the primary and to majority.
 *
 * @throws AppError `ledger_unavailable` when no primary answers in time.
 */
export async function openMongo(options: MongoOptions): Promise<Mongo> {
  const settings: MongoClientOptions = {
    appName: options.appName,
    maxPoolSize: LIMITS.mongoPoolMax,
    waitQueueTimeoutMS: LIMITS.mongoWaitQueueMs,
    serverSelectionTimeoutMS: LIMITS.mongoServerSelectionMs,
    connectTimeoutMS: LIMITS.mongoConnectMs,
    heartbeatFrequencyMS: LIMITS.mongoHeartbeatMs,
    // Streaming, the driver's default, dies of our int64s: it takes the version of the topology from
    // the error of any command, as a bigint where the collection has those, and throws on it in a
    // timer. A fail-over then ends the process (found by `npm run chaos`, driver 7.9).
    serverMonitoringMode: 'poll',
    socketTimeoutMS: LIMITS.mongoSocketMs,
    readPreference: 'primary',
    readConcernLevel: 'majority',
    writeConcern: { w: 'majority', journal: true, wtimeoutMS: LIMITS.mongoWriteConcernMs },
    retryWrites: true,
    retryReads: true,
    ...(options.slow !== undefined && { monitorCommands: true }),
    ignoreUndefined: false,
  };
  const client = clientOf(options.url, settings);
  if (options.metrics !== undefined) watchPool(client, options.metrics);
  const { slow } = options;
  if (slow !== undefined) logSlowQueries(client, slow.ms, slow.logger);
  try {
    await client.connect();
    await client.db('admin').command({ ping: 1 });
  } catch (cause) {
    await client.close().catch(() => undefined);
    throw new AppError('ledger_unavailable', 'No MongoDB primary answered; check MONGO_URL', {
      cause,
    });
  }
  if (options.isControl === true) setControlDatabase(client, options.database);
  const db = client.db(options.database);
  return { client, db, close: () => client.close() };
}

function clientOf(url: string, settings: MongoClientOptions): MongoClient {
  try {
    return new MongoClient(url, settings);
  } catch (cause) {
    const reason = scrubbed(cause instanceof Error ? cause.message : String(cause));
    const detail = `The address of MongoDB is not usable (MONGO_URL): ${reason}`;
    throw new AppError('ledger_unavailable', detail, { cause });
  }
}

/** Exports pool size, connections in use, waiters and checkout time. */
function watchPool(client: MongoClient, metrics: Metrics): void {
  const size = metrics.mongoPool.labels('size');
  const inUse = metrics.mongoPool.labels('in_use');
  const waiters = metrics.mongoPool.labels('waiters');
  client.on('connectionCreated', () => {
    size.inc();
  });
  client.on('connectionClosed', () => {
    size.dec();
  });
  client.on('connectionCheckOutStarted', () => {
    waiters.inc();
  });
  client.on('connectionCheckOutFailed', () => {
    waiters.dec();
  });
  client.on('connectionCheckedOut', (event) => {
    waiters.dec();
    inUse.inc();
    metrics.mongoCheckout.observe(event.durationMS / 1_000);
  });
  client.on('connectionCheckedIn', () => {
    inUse.dec();
  });
}
