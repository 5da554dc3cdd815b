import { mkdirSync } from 'node:fs';
import { createTerminalLog } from '../../scripts/dev/servers/report.ts';
import { onInterrupt } from '../../scripts/dev/servers/interrupts.ts';
import { runMany, sumUp } from './many.ts';
import { parseChaosOptions } from './options.ts';
import { reportOf } from './report/report.ts';
import { writeReport } from './report/write-report.ts';
import { runChaos } from './run.ts';

/** `npm run chaos`: one run, a report, and an exit code that says what was found. */
const EXIT = { sound: 0, broken: 1, inconclusive: 3 } as const;
const SHOWN_MAX = 3;

async function main(): Promise<number> {
  const options = parseChaosOptions(process.argv.slice(2));
  if (typeof options === 'number') return options;
  const log = createTerminalLog(process.stdout);
  const { many, sum, out } = options;
  if (sum !== undefined) return sumUp(sum, undefined, log) > 0 ? 0 : EXIT.inconclusive;
  const stopping = new AbortController();
  onInterrupt(async () => {
    stopping.abort(); // servers go with us: the watchdog sees to that
  });
  if (many !== undefined) {
    mkdirSync(out, { recursive: true });
    return runMany({ ...many, out, signal: stopping.signal }, log);
  }
  log(`• seed ${options.seed}: ${options.replay}`);
  const result = await runChaos(options, log, stopping.signal);
  const report = reportOf(options, result);
  const file = writeReport(report, options.out);
  for (const { rule, count } of report.byRule) {
    log(`✗ ${rule}: ${String(count)}`);
    const found = report.violations.filter((one) => one.rule === rule).slice(0, SHOWN_MAX);
    for (const { subject, detail } of found) log(`    ${subject}: ${detail.slice(0, 300)}`);
  }
  for (const shortfall of report.shortfalls) log(`? too little was done: ${shortfall}`);
  const { counts, judged } = report;
  log(
    `• ${report.verdict}: ${String(counts.operations)} operations, ${String(counts.kills)} kills, ` +
      `${String(result.evidence.faults.length)} faults; lost ${String(judged.lost)}, doubled ` +
      `${String(judged.doubled)}, out of order ${String(judged.outOfOrder)}, late ${String(judged.late)}`,
  );
  log(`• report: ${file}`);
  if (report.verdict !== 'sound') log(`• again: ${options.replay}`);
  return EXIT[report.verdict];
}

/** The harness itself failed: that says nothing about the platform. */
const FAILED = 4;

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error);
    process.exit(FAILED);
  },
);
