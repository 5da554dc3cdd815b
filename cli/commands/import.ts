import { Command, Option } from 'commander';
import { LIMITS } from '../../config/limits.ts';
import { resolveConnection } from '../connection.ts';
import { CliError, EXIT, type ExitCode, InterruptedError } from '../exit.ts';
import { createProgressLine, exitCodeOf, summarize, summaryLines } from '../import/report.ts';
import { type Import, createImport } from '../import/run.ts';
import { FORMATS, type Format, openSource } from '../import/source.ts';
import { interruptible } from '../interrupts.ts';
import type { Io } from '../io.ts';
import { type Terminal, createTerminal } from '../terminal.ts';
import { jsonOption, secondsAsMs, wholeNumber, withConnection } from './options.ts';

interface Options {
  readonly url?: string;
  readonly key?: string;
  readonly format?: Format;
  readonly keyPrefix?: string;
  readonly refused?: string;
  readonly retryFor?: number;
  readonly settleFor: number;
  readonly wait: boolean;
  readonly chunk: number;
  readonly window: number;
  readonly json: boolean;
  readonly quiet: boolean;
}

const RETRY_FOR_MS = 120_000;
/** Unless told otherwise, a server that never answered is most likely not there. */
const FIRST_ANSWER_MS = 10_000;
const SETTLE_FOR_MS = 120_000;
const WINDOW_IDS = 20_000;

const HELP = `
FILE has one operation per line (.ndjson, .jsonl):
  {"type": "wallet.credit", "idempotencyKey": "pay-1",
   "input": {"userId": "ann", "currency": "EUR", "amount": "1250"}}
or per record (.csv, .tsv), with a header such as
  type,idempotencyKey,userId,currency,amount,metadata.source
where bare names are fields of the input (input.userId is the same), deeper ones are
reached by dots (wallets.0.currency) and a column x:json holds JSON.

It can be stopped and started again at any time: what was accepted is known by its
idempotencyKey and not done twice. A line without one gets a key made of the file's name
(or --key-prefix), its line number and its text; so do not insert or reorder such lines
between two runs, and give each new file of the same name a --key-prefix of its own: its
lines that are equal to the old file's would be taken for those.

A line with "ref": "card-7" lends the ids that it creates to later lines, as
"{{ref:card-7.holdId}}", "{{ref:card-7.transferId}}" or "{{ref:card-7.operationId}}".

Exit code: 0 all succeeded, 1 some were refused or rejected (they are in
FILE.refused.ndjson, with the reasons), 2 usage, 3 gave up waiting for a server,
4 all succeeded, but some lines without a key were taken for those of an earlier file of
that name (a run that was cut short and is repeated is not meant), 130 interrupted.`;

export function importCommand(io: Io): Command {
  const command = new Command('import')
    .summary('submit a file of operations and wait for their outcome')
    .description('Submits a file of operations of any size and waits for their outcome.')
    .argument('<file>', 'NDJSON or CSV; - for standard input')
    .addOption(
      new Option(
        '--format <format>',
        'what FILE is, unless its name or its first line says',
      ).choices(FORMATS),
    )
    .option('--key-prefix <text>', 'makes the keys of lines without one, instead of the file name')
    .option('--refused <file>', 'where refused lines go (default: FILE.refused.ndjson)')
    .option('--retry-for <seconds>', 'how long to try when the server is away (120)', secondsAsMs)
    .addOption(
      new Option('--settle-for <seconds>', 'give up when nothing settles for this long')
        .argParser(secondsAsMs)
        .default(SETTLE_FOR_MS, '120'),
    )
    .option('--no-wait', 'end when everything is accepted, without waiting for the outcome')
    .addOption(
      new Option('--chunk <items>', 'operations per request')
        .argParser(wholeNumber(1, LIMITS.bulkItemsMax))
        .default(LIMITS.bulkItemsMax),
    )
    .addOption(
      new Option('--window <items>', 'accepted operations that may be unsettled at a time')
        .argParser(wholeNumber(LIMITS.bulkItemsMax, 1_000_000))
        .default(WINDOW_IDS),
    )
    .option('--quiet', 'no progress', false)
    .addOption(jsonOption())
    .addHelpText('after', HELP)
    .action(async (file: string, options: Options) => {
      io.exit(await importFile(file, options, io));
    });
  return withConnection(command);
}

async function importFile(file: string, options: Options, io: Io): Promise<ExitCode> {
  const terminal = createTerminal({ ...io, isQuiet: options.quiet });
  openSource(file, options.format, io.stdin); // a missing file first: it is the likelier slip
  const connection = resolveConnection(options, io);
  const progressLine = createProgressLine();
  const startedMs = performance.now();
  return interruptible(async (signal) => {
    const work = createImport(importOptions(file, options), {
      connection,
      signal,
      stdin: io.stdin,
      onProgress: (progress) => {
        progressLine.sample(progress);
        terminal.live(() => progressLine.text(progress));
      },
    });
    const failure = await work.run().then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    terminal.clear();
    const elapsedMs = performance.now() - startedMs;
    const { tally, refused, earlier, isAfterAnother } = work;
    const summary = summarize({ ...{ file, tally, refused, earlier, isAfterAnother }, elapsedMs });
    if (options.json) terminal.out(JSON.stringify(summary));
    else printLines(summaryLines(summary), terminal);
    if (failure !== undefined) return explain(failure.error, work, terminal);
    return exitCodeOf(summary);
  });
}

function printLines(lines: readonly string[], terminal: Terminal): void {
  for (const line of lines) terminal.out(line);
}

function importOptions(file: string, options: Options) {
  const { format, keyPrefix, refused } = options;
  return {
    file,
    ...(format !== undefined && { format }),
    ...(keyPrefix !== undefined && { keyPrefix }),
    ...(refused !== undefined && { refusedPath: refused }),
    chunkItems: options.chunk,
    windowIds: options.window,
    retryForMs: options.retryFor ?? RETRY_FOR_MS,
    firstAnswerMs: options.retryFor ?? FIRST_ANSWER_MS,
    settleForMs: options.settleFor,
    waits: options.wait,
  };
}

function explain(error: unknown, work: Import, terminal: Terminal): ExitCode {
  if (!(error instanceof CliError)) throw error;
  if (!(error instanceof InterruptedError)) terminal.note(`sluice: ${error.message}`);
  const accepted = work.tally.fresh + work.tally.known;
  if (accepted > 0 && error.exitCode !== EXIT.usage) {
    terminal.note('What was accepted stays accepted; run the same command again to continue.');
  }
  return error.exitCode;
}
