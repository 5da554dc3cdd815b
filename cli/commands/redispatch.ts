import { Command } from 'commander';
import { type Env, parseEnv } from '../../config/env.ts';
import { createOutboxStore } from '../../core/events/outbox-store.ts';
import { openMongo } from '../../core/infra/mongo.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { createRedispatchStore } from '../../core/operations/redispatch-store.ts';
import { type RedispatchReport, redispatchAll } from '../../core/recovery/redispatch.ts';
import { createLogger } from '../../core/telemetry/logger.ts';
import { openQueues } from '../../queues/producer.ts';
import { createSchedules } from '../../queues/schedules.ts';
import { resolveDatabase, resolveRedis } from '../connection.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { formatCount, formatDuration } from '../format.ts';
import { interruptible } from '../interrupts.ts';
import type { Io } from '../io.ts';
import { type Terminal, createTerminal } from '../terminal.ts';
import { type WorkDatabase, workDatabases } from '../work-databases.ts';
import { jsonOption, withDatabase } from './options.ts';

interface Options {
  readonly all: boolean;
  readonly mongoUrl?: string;
  readonly db?: string;
  readonly redisUrl?: string;
  readonly json: boolean;
  readonly quiet: boolean;
}

const HELP = `
For a Redis that was emptied or replaced: reads every open operation and every event that
nobody has dealt with from MongoDB and enqueues what no job stands for. Workers may run
meanwhile. Recovery does the same by itself within 45 s; this does it at once, whatever
the backlog. Running it again adds nothing. QUEUE_PREFIX is that of the workers. Where tenants
have a database each, all of them are gone through; with --json a line each.

Exit code: 0 done, 2 usage, 3 no database or no Redis, 130 interrupted.`;

export function redispatchCommand(io: Io): Command {
  const command = new Command('redispatch')
    .summary('rebuild an empty Redis from MongoDB')
    .description('Enqueues again whatever open work has no job in Redis.')
    .option('--all', 'every open operation and event; required, so that nobody runs it by chance')
    .option('--redis-url <url>', 'the Redis of the queues (REDIS_QUEUE_URL, REDIS_URL, …)')
    .option('--quiet', 'no progress', false)
    .addOption(jsonOption())
    .addHelpText('after', HELP)
    .action(async (options: Options) => {
      if (!options.all) throw new CliError('say what to enqueue again: --all.', EXIT.usage);
      io.exit(await interruptible((signal) => redispatch(options, io, signal)));
    });
  return withDatabase(command);
}

async function redispatch(options: Options, io: Io, signal: AbortSignal): Promise<ExitCode> {
  const terminal = createTerminal({ ...io, isQuiet: options.quiet });
  const { url, database } = resolveDatabase(options, io);
  const { QUEUE_PREFIX } = io.env;
  const env = parseEnv({
    MONGO_URL: url,
    MONGO_DB: database,
    REDIS_URL: resolveRedis(options, io),
    QUEUE_PREFIX,
  });
  const mongo = await openMongo({ url, database, appName: 'sluice-redispatch' });
  try {
    for (const one of await workDatabases(mongo)) {
      const startedMs = performance.now();
      const report = await redispatchOne(one, { env, terminal, signal });
      terminal.clear();
      const elapsedMs = performance.now() - startedMs;
      const { name } = one;
      const lines = options.json
        ? [JSON.stringify({ database: name, ...report, elapsedMs })]
        : reportLines(report, { database: name, elapsedMs });
      for (const line of lines) terminal.out(line);
    }
    return EXIT.ok;
  } finally {
    await mongo.close();
  }
}

interface RunOptions {
  readonly env: Env;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** The queues of a brand have its name in their prefix. */
async function redispatchOne(
  { db, brand }: WorkDatabase,
  { env, terminal, signal }: RunOptions,
): Promise<RedispatchReport> {
  const prefix = brand === undefined ? env.QUEUE_PREFIX : `${env.QUEUE_PREFIX}-${brand}`;
  const logger = createLogger({ level: 'silent', service: 'redispatch' });
  const queues = openQueues({ env: { ...env, QUEUE_PREFIX: prefix }, logger, clock: systemClock });
  const { connection, publisher } = queues;
  const onError = (): void => undefined; // what matters comes back as a rejection
  const schedules = createSchedules({ connection, prefix, onError });
  try {
    return await redispatchAll({
      store: createRedispatchStore(db),
      outbox: createOutboxStore(db),
      publisher,
      schedules,
      clock: systemClock,
      signal,
      onProgress: (progress) => {
        terminal.live(() => progressText(progress));
      },
    });
  } finally {
    await schedules.close();
    await queues.close();
  }
}

function progressText({ operations, enqueued, events }: RedispatchReport): string {
  const done = `${formatCount(operations)} open operations, ${formatCount(enqueued)} enqueued`;
  return events === 0 ? done : `${done}, ${formatCount(events)} rows of events`;
}

function reportLines(
  { operations, enqueued, events, schedules }: RedispatchReport,
  { database, elapsedMs }: { readonly database: string; readonly elapsedMs: number },
): readonly string[] {
  const had = operations - enqueued;
  return [
    `${database}: ${formatCount(operations)} open operations in ${formatDuration(elapsedMs)}`,
    `  enqueued again     ${formatCount(enqueued)}`,
    `  had their job      ${formatCount(had)}`,
    `  rows of events     ${formatCount(events)} handed over`,
    `  job schedulers     ${formatCount(schedules)} put back`,
  ];
}
