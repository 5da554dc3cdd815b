import { Command, Option } from 'commander';
import { openMongo } from '../../core/infra/mongo.ts';
import {
  type CurrencySummary,
  LEDGER_CHECKS,
  type VerifyReport,
} from '../../core/ledger/verify/report.ts';
import { verifyLedger } from '../../core/ledger/verify/verify-store.ts';
import type { VerifyPhase } from '../../core/ledger/verify/walk-store.ts';
import { ledgerRules } from '../../core/operation-types/ledger-rules.ts';
import { OPERATIONS } from '../../core/operation-types/registry.ts';
import { resolveDatabase } from '../connection.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { formatCount, formatDuration, formatTable } from '../format.ts';
import { interruptible } from '../interrupts.ts';
import type { Io } from '../io.ts';
import { createTerminal } from '../terminal.ts';
import { workDatabases } from '../work-databases.ts';
import { proveCommand } from './ledger-prove.ts';
import { rebuildCommand } from './ledger-rebuild.ts';
import { jsonOption, wholeNumber, withDatabase } from './options.ts';

interface Options {
  readonly mongoUrl?: string;
  readonly db?: string;
  readonly show: number;
  readonly json: boolean;
  readonly quiet: boolean;
}

const VIOLATIONS_SHOWN = 20;

const HELP = `
Recomputes every wallet from its entries, every operation's entries among themselves, and
the sums of each currency, and prints what does not agree. It reads only, takes constant
memory and may run beside the platform. Where tenants have a database each, all of them are
gone through; with --json a line each.

Exit code: 0 everything agrees, 1 there are violations, 2 usage, 3 the database does not
answer, 5 there is nothing in it to verify (is that its name?), 130 interrupted.`;

export function ledgerCommand(io: Io): Command {
  const ledger = new Command('ledger').description('Looks after the ledger.');
  const verify = new Command('verify')
    .summary('recompute the ledger from its log')
    .description('Recomputes the ledger from its log and reports what does not agree.')
    .addOption(
      new Option('--show <count>', 'violations to print; all are counted')
        .argParser(wholeNumber(1, 100_000))
        .default(VIOLATIONS_SHOWN),
    )
    .option('--quiet', 'no progress', false)
    .addOption(jsonOption())
    .addHelpText('after', HELP)
    .action(async (options: Options) => {
      io.exit(await interruptible((signal) => verifyDatabase(options, io, signal)));
    });
  return ledger
    .addCommand(withDatabase(verify))
    .addCommand(rebuildCommand(io))
    .addCommand(proveCommand(io));
}

async function verifyDatabase(options: Options, io: Io, signal: AbortSignal): Promise<ExitCode> {
  const terminal = createTerminal({ ...io, isQuiet: options.quiet });
  const { url, database } = resolveDatabase(options, io);
  const mongo = await openMongo({ url, database, appName: 'sluice-ledger-verify' });
  try {
    const onProgress = (phase: VerifyPhase, done: number): void => {
      terminal.live(() => `checking ${phase}: ${formatCount(done)}`);
    };
    const rules = ledgerRules(OPERATIONS);
    const verdicts: Verdict[] = [];
    for (const { db, name } of await workDatabases(mongo)) {
      const report = await verifyLedger(db, { rules, signal, onProgress, keepMax: options.show });
      terminal.clear();
      const verdict = verdictOf(report);
      verdicts.push(verdict);
      const lines = options.json
        ? [JSON.stringify({ database: name, verdict, ...report }, plainBigInt)]
        : reportLines(report, name);
      for (const line of lines) terminal.out(line);
    }
    return EXIT_BY_VERDICT[worstOf(verdicts)];
  } finally {
    await mongo.close();
  }
}

type Verdict = keyof typeof EXIT_BY_VERDICT;

const EXIT_BY_VERDICT = {
  sound: EXIT.ok,
  violated: EXIT.failed,
  /** Where nothing was looked at, nothing is sound. */
  nothing: EXIT.nothing,
} as const satisfies Record<string, ExitCode>;

export function verdictOf({ isClean, counts }: VerifyReport): Verdict {
  if (!isClean) return 'violated';
  return Object.values(counts).some((count) => count > 0) ? 'sound' : 'nothing';
}

/** Of several databases: a sound one is enough where others have nothing yet. */
function worstOf(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes('violated')) return 'violated';
  return verdicts.includes('sound') ? 'sound' : 'nothing';
}

/** Amounts as decimal digits, like everywhere in our JSON. */
function plainBigInt(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

/** The report for a person; `npm start` prints its tables too. */
function reportLines(report: VerifyReport, database: string): string[] {
  const { counts, currencies, elapsedMs } = report;
  if (verdictOf(report) === 'nothing') {
    return [`${database}: nothing to verify, the database has no wallets and no operations`];
  }
  const checked = Object.entries(counts)
    .map(([name, count]) => `${formatCount(count)} ${name}`)
    .join(', ');
  return [
    `${database}: ${checked} in ${formatDuration(elapsedMs)}`,
    ...currencyLines(currencies),
    ...violationLines(report),
  ];
}

export function currencyLines(currencies: readonly CurrencySummary[]): string[] {
  if (currencies.length === 0) return ['no wallets'];
  const head = ['tenant/currency', 'users', 'entries', 'held by users', 'locked', 'sum of all'];
  const rows = currencies.map((row) => [
    `${row.tenantId}/${row.currency}`,
    formatCount(row.userWallets),
    formatCount(row.entries),
    formatCount(row.heldByUsers.real + row.heldByUsers.bonus),
    formatCount(row.heldByUsers.locked),
    formatCount(row.walletsSum.real + row.walletsSum.bonus + row.walletsSum.locked),
  ]);
  return formatTable([head, ...rows]);
}

function violationLines({ violationCount, violations, byCheck }: VerifyReport): string[] {
  if (violationCount === 0) return ['the ledger is sound: every check holds'];
  const checks = Object.entries(LEDGER_CHECKS).flatMap(([check, claim]) => {
    const count = Object.entries(byCheck).find(([name]) => name === check)?.[1];
    return count === undefined ? [] : [[`  ${check} (${claim})`, formatCount(count)]];
  });
  const more = violationCount - violations.length;
  return [
    `${formatCount(violationCount)} VIOLATIONS`,
    ...formatTable(checks),
    'the first of them:',
    ...violations.map(({ check, id, detail }) => `  ${check} ${id}: ${detail}`),
    ...(more > 0 ? [`  and ${formatCount(more)} more (--show ${String(violationCount)})`] : []),
  ];
}
