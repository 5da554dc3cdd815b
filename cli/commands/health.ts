import { Command, Option } from 'commander';
import { createApiClient } from '../api-client.ts';
import { resolveAddress } from '../connection.ts';

import { exitOf, readReport, reportLines } from '../health/report.ts';
import { interruptible } from '../interrupts.ts';
import type { Io } from '../io.ts';
import { createTerminal } from '../terminal.ts';
import { jsonOption } from './options.ts';

interface Options {
  readonly url?: string;
  readonly all: boolean;
  readonly json: boolean;
  readonly color: boolean;
}

const ANSWER_MS = 10_000;

const HELP = `
Money, flow, execution, liveness and dependencies, each with its evidence and the runbook
to follow. "unknown" means that a source does not answer, which is no good sign either.

Exit code: 0 ok, 1 degraded or unknown, 2 critical, 3 the API does not answer.`;

export function healthCommand(io: Io): Command {
  return new Command('health')
    .summary("the platform's verdict on itself")
    .description('Says how the platform is, and what to do where it is not well.')
    .option('--url <url>', 'address of the API (SLUICE_URL, else what `npm start` left)')
    .option('--all', 'also what is well', false)
    .addOption(jsonOption())
    .addOption(new Option('--no-color', 'no colours, which only a terminal gets anyway'))
    .addHelpText('after', HELP)
    .action(async (options: Options) => {
      await interruptible((signal) => health(options, io, signal));
    });
}

async function health(options: Options, io: Io, signal: AbortSignal): Promise<void> {
  const terminal = createTerminal(io);
  const connection = { key: '', ...resolveAddress(options, io) };
  const retry = { forMs: 0, signal, onWait: () => undefined };
  const client = createApiClient({ connection, retry, firstAnswerMs: ANSWER_MS });
  const report = await readReport(client);
  const isTty = 'isTTY' in io.stdout && io.stdout.isTTY === true;
  const hasColours = options.color && isTty && (io.env['NO_COLOR'] ?? '') === '';
  if (options.json) terminal.out(JSON.stringify(report));
  else {
    for (const line of reportLines(report, { hasColours, isFull: options.all })) terminal.out(line);
  }
  io.exit(exitOf(report));
}
