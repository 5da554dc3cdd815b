import { Command, Option } from 'commander';
import { z } from 'zod';
import { systemClock } from '../../core/kernel/clock.ts';
import { type ApiClient, createApiClient } from '../api-client.ts';
import { resolveAddress } from '../connection.ts';
import { CliError, EXIT, InterruptedError } from '../exit.ts';
import { exitOf, readReport } from '../health/report.ts';
import { scrape } from '../health/scrape.ts';
import { type Look, topLines } from '../health/top-view.ts';
import { interruptible } from '../interrupts.ts';
import type { Io } from '../io.ts';
import { secondsAsMs } from './options.ts';

interface Options {
  readonly url?: string;
  readonly worker: readonly string[];
  readonly every: number;
  readonly once: boolean;
}

const EVERY_MS = 2_000;
const ANSWER_MS = 5_000;
const ROWS = 24;
const COLUMNS = 100;

const HELP = `
Rates, queues, lanes, workers and the verdict, every two seconds; q or Ctrl-C ends it. Where
the output is no terminal it is written as plain text, one look after another. What workers
did is asked of those that \`npm start\` runs, and of those named with --worker.

Exit code: 0; with --once that of the verdict: 0 ok, 1 degraded or unknown, 2 critical; 3 the
API does not answer.`;

export function topCommand(io: Io): Command {
  return new Command('top')
    .summary('the platform live in a terminal')
    .description('Shows what the platform does, live.')
    .option('--url <url>', 'address of the API (SLUICE_URL, else what `npm start` left)')
    .addOption(
      new Option('--worker <url>', "address of a worker's probes; may be given several times")
        .argParser((url: string, all: readonly string[]) => [...all, url])
        .default([] as readonly string[], 'those of `npm start`'),
    )
    .addOption(
      new Option('--every <seconds>', 'how often to look')
        .argParser(secondsAsMs)
        .default(EVERY_MS, String(EVERY_MS / 1_000)),
    )
    .option('--once', 'one look (two, a second apart, for the rates), then end', false)
    .addHelpText('after', HELP)
    .action(async (options: Options) => {
      await interruptible((signal) => top(options, io, signal));
    });
}

async function top(options: Options, io: Io, signal: AbortSignal): Promise<void> {
  const { url, hint } = resolveAddress(options, io);
  const quitting = new AbortController();
  const both = AbortSignal.any([signal, quitting.signal]);
  const retry = { forMs: 0, signal: both, onWait: () => undefined };
  const connection = { key: '', url, hint };
  const client = createApiClient({ connection, retry, firstAnswerMs: ANSWER_MS });
  const workerUrls = options.worker.length > 0 ? options.worker : (io.dev?.workerUrls ?? []);
  const screen = openScreen(io, () => {
    quitting.abort(new InterruptedError());
  });
  const read = (): Promise<Look> => lookAt({ client, url, workerUrls, signal: both });
  try {
    let before = await read();
    if (before.report === undefined && options.once) {
      throw new CliError(`Nothing answers at ${url}. ${hint}`, EXIT.gaveUp);
    }
    if (!options.once) screen.show(topLines(before, undefined, screen.view(url)));
    for (;;) {
      await systemClock.sleep(options.once ? 1_000 : Math.max(250, options.every), both);
      both.throwIfAborted();
      const look = await read();
      screen.show(topLines(look, before, screen.view(url)));
      before = look;
      if (options.once) break;
    }
    io.exit(before.report === undefined ? EXIT.gaveUp : exitOf(before.report));
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error;
    io.exit(EXIT.ok);
  } finally {
    screen.close();
  }
}

const depthsSchema = z.object({
  queues: z.array(
    z.object({
      queue: z.string(),
      waiting: z.number(),
      prioritised: z.number(),
      delayed: z.number(),
      active: z.number(),
      oldestWaitSeconds: z.number(),
      workers: z.number(),
    }),
  ),
});

interface Looking {
  readonly client: ApiClient;
  readonly url: string;
  readonly workerUrls: readonly string[];
  readonly signal: AbortSignal;
}

async function lookAt({ client, url, workerUrls, signal }: Looking): Promise<Look> {
  const away = (): undefined => {
    signal.throwIfAborted();
    return undefined;
  };
  const [report, queues, api, workers] = await Promise.all([
    readReport(client).catch(away),
    client
      .send({ method: 'GET', path: '/internal/autoscale' })
      .then(({ body }) => depthsSchema.safeParse(body).data?.queues, away),
    scrape(url, signal),
    Promise.all(workerUrls.map((worker) => scrape(worker, signal))),
  ]);
  return { atMs: systemClock.now(), report, queues, api, workers };
}

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H\u001b[2J';

/** The whole terminal, given back at the end; plain text where there is none. */
function openScreen({ stdin, stdout, env }: Io, quit: () => void) {
  const isTty = stdout === process.stdout && process.stdout.isTTY && process.stdin.isTTY;
  const onKey = (key: Buffer): void => {
    const text = key.toString();
    if (text === 'q' || text === 'Q' || text === '\u0003') quit();
  };
  if (isTty) {
    process.stdin.setRawMode(true);
    stdin.on('data', onKey).resume();
    stdout.write(ENTER);
  }
  return {
    view: (url: string) => ({
      url,
      hasColours: isTty && (env['NO_COLOR'] ?? '') === '',
      columns: isTty ? process.stdout.columns : COLUMNS * 2,
      rows: isTty ? process.stdout.rows - 1 : ROWS * 10,
    }),
    show: (lines: readonly string[]) => {
      stdout.write(`${isTty ? HOME : ''}${lines.join('\n')}\n${isTty ? '' : '\n'}`);
    },
    close: () => {
      if (!isTty) return;
      stdout.write(LEAVE);
      stdin.off('data', onKey).pause();
      process.stdin.setRawMode(false);
    },
  };
}
