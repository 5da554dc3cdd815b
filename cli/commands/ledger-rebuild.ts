import { Command, Option } from 'commander';
import { LEDGER_LIMITS } from '../../config/ledger-limits.ts';
import { setControlDatabase } from '../../core/infra/control-database.ts';
import { openMongo } from '../../core/infra/mongo.ts';
import { AppError } from '../../core/kernel/errors.ts';
import type { Difference } from '../../core/ledger/rebuild/differences.ts';
import {
  type RebuildProgress,
  type RebuildOptions,
  rebuildLedger,
} from '../../core/ledger/rebuild/rebuild-store.ts';
import { type RebuildReport, differingOf } from '../../core/ledger/rebuild/report.ts';
import { rebuildRules } from '../../core/operation-types/rebuild-rules.ts';
import { OPERATIONS } from '../../core/operation-types/registry.ts';
import { resolveDatabase } from '../connection.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { formatBar, formatCount, formatDuration, formatTable } from '../format.ts';
import { interruptible } from '../interrupts.ts';
import type { Io } from '../io.ts';
import { type Terminal, createTerminal } from '../terminal.ts';
import { type WorkDatabase, workDatabases } from '../work-databases.ts';
import { jsonOption, wholeNumber, withDatabase } from './options.ts';

interface Options {
  readonly mongoUrl?: string;
  readonly db?: string;
  readonly apply: boolean;
  readonly yes?: string;
  readonly restart: boolean;
  readonly tenant?: string;
  readonly wallet?: string;
  readonly show: number;
  readonly json: boolean;
  readonly quiet: boolean;
}

const HELP = `
Computes every wallet, hold and transfer from the log of entries and the operations'
records, and says what is stored otherwise or not at all. Nothing is written without
--apply, which asks to be confirmed with the name of the database (--yes <database>).

The platform may run meanwhile: each document is written only if it is still what was
read. What is not there is put back; where the log contradicts itself, nothing is made
of it. An interrupted run with --apply goes on where it was (--restart: from the
beginning). Users, operations and entries are never written. Where tenants have a
database each, all of them are gone through; with --json a line each.

Exit code: 0 everything is what the log says (or is now), 1 there are differences or
damage left, 2 usage, 3 the database does not answer or another rebuild is under way,
5 there is nothing to rebuild (is that its name?), 130 interrupted.`;

export function rebuildCommand(io: Io): Command {
  const command = new Command('rebuild')
    .summary('restore wallets, holds and transfers from the log')
    .description('Says where wallets, holds and transfers differ from the log, and mends them.')
    .option('--apply', 'write what differs; by default it is only said', false)
    .option('--yes <database>', 'confirms --apply with the name of the database')
    .option('--restart', 'do not go on where an interrupted --apply was', false)
    .option('--tenant <id>', 'of this tenant only')
    .option('--wallet <id>', 'this wallet only, with the holds and transfers that it paid')
    .addOption(
      new Option('--show <count>', 'differences to print; all are counted')
        .argParser(wholeNumber(1, LEDGER_LIMITS.reportedMax))
        .default(20),
    )
    .option('--quiet', 'no progress', false)
    .addOption(jsonOption())
    .addHelpText('after', HELP)
    .action(async (options: Options) => {
      io.exit(await interruptible((signal) => rebuild(options, io, signal)));
    });
  return withDatabase(command);
}

async function rebuild(options: Options, io: Io, signal: AbortSignal): Promise<ExitCode> {
  const terminal = createTerminal({ ...io, isQuiet: options.quiet });
  const { url, database } = resolveDatabase(options, io);
  if (options.tenant !== undefined && options.wallet !== undefined) {
    throw new CliError('say either --tenant or --wallet.', EXIT.usage);
  }
  if (options.apply && options.yes !== database) {
    const detail = `--apply writes to ${database}: confirm it with --yes ${database}.`;
    throw new CliError(detail, EXIT.usage);
  }
  const mongo = await openMongo({ url, database, appName: 'sluice-ledger-rebuild' });
  try {
    const databases = await workDatabases(mongo);
    if (databases.some(({ brand }) => brand !== undefined)) {
      setControlDatabase(mongo.client, database);
    }
    const codes: ExitCode[] = [];
    for (const one of databases) codes.push(await rebuildOne(one, options, { terminal, signal }));
    if (codes.includes(EXIT.failed)) return EXIT.failed;
    return codes.includes(EXIT.ok) ? EXIT.ok : EXIT.nothing;
  } finally {
    await mongo.close();
  }
}

async function rebuildOne(
  { db, name }: WorkDatabase,
  options: Options,
  { terminal, signal }: { readonly terminal: Terminal; readonly signal: AbortSignal },
): Promise<ExitCode> {
  const asked: RebuildOptions = {
    rules: rebuildRules(OPERATIONS),
    ...{ apply: options.apply, restart: options.restart, keepMax: options.show, signal },
    ...(options.tenant !== undefined && { tenantId: options.tenant }),
    ...(options.wallet !== undefined && { walletId: options.wallet }),
    onProgress: (progress) => {
      terminal.live(() => progressText(progress));
    },
    onResume: ({ tenantId, afterUser }) => {
      terminal.note(`going on behind ${tenantId}/${afterUser}, where the last run was`);
    },
  };
  const report = await rebuildLedger(db, asked).catch((error: unknown) => {
    throw asCliError(error);
  });
  terminal.clear();
  if (options.json) terminal.out(JSON.stringify({ database: name, ...report }, plain));
  else for (const line of reportLines(report, name)) terminal.out(line);
  return exitOf(report);
}

function asCliError(error: unknown): unknown {
  if (!(error instanceof AppError)) return error;
  if (error.code === 'rebuild_under_way') {
    return new CliError(`${error.detail}.`, EXIT.gaveUp, error);
  }
  if (error.code === 'wallet_not_found') return new CliError(`${error.detail}.`, EXIT.usage, error);
  return error;
}

function exitOf(report: RebuildReport): ExitCode {
  if (!report.isWhole) return EXIT.failed;
  return report.checked.wallets === 0 ? EXIT.nothing : EXIT.ok;
}

function progressText({ users, usersTotal, tally }: RebuildProgress): string {
  const bar = formatBar(usersTotal === 0 ? 1 : users / usersTotal);
  const found = `${formatCount(differingOf(tally))} differences`;
  return `${bar} ${formatCount(users)} users, ${formatCount(tally.entries)} entries, ${found}`;
}

/** Amounts as decimal digits, like everywhere in our JSON. */
function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

function reportLines(report: RebuildReport, database: string): readonly string[] {
  const { checked, differing, written, entries, elapsedMs, applied } = report;
  if (report.checked.wallets === 0) return [`${database}: nothing to rebuild, it has no wallets`];
  const kinds = ['wallets', 'transfers', 'holds'] as const;
  const rows = kinds.map((kind) => [
    `  ${kind}`,
    ...[checked, differing, written].map((counts) => formatCount(counts[kind])),
  ]);
  return [
    `${database}: ${formatCount(entries)} entries in ${formatDuration(elapsedMs)}`,
    ...formatTable([['', 'checked', 'differ', 'written'], ...rows]),
    ...report.differences.map(differenceText),
    ...report.damage.map(({ check, id, detail }) => `  DAMAGED LOG ${check} ${id}: ${detail}`),
    ...(report.unexplained > 0
      ? [`${formatCount(report.unexplained)} wallets that no operation opened keep their settings`]
      : []),
    report.isWhole
      ? 'everything is what the log says'
      : applied
        ? 'some of it could not be rebuilt'
        : `nothing was written: --apply --yes ${database} does`,
  ];
}

function differenceText({ kind, id, tenantId, fields }: Difference): string {
  if (fields === undefined) return `  ${kind} ${id} of ${tenantId}: is not there`;
  const list = fields.map(({ field, stored, rebuilt }) => {
    return `${field} ${show(stored)}, the log says ${show(rebuilt)}`;
  });
  return `  ${kind} ${id} of ${tenantId}: ${list.join('; ')}`;
}

function show(value: unknown): string {
  if (value === undefined) return 'absent';
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'bigint' ? value.toString() : JSON.stringify(value);
}
