import { Command } from 'commander';
import { joiningEnv, resolveDatabase } from '../connection.ts';
import { projectRoot } from '../dev-file.ts';
import { checkEnvironment, checkNode } from '../doctor/check-environment.ts';
import { checkDisk, checkFiles, checkPort } from '../doctor/check-machine.ts';
import { checkMongo } from '../doctor/check-mongo.ts';
import { checkProviders } from '../doctor/check-providers.ts';
import { checkRedis } from '../doctor/check-redis.ts';
import type { CheckResult, CheckStatus } from '../doctor/check.ts';
import { EXIT } from '../exit.ts';
import { interruptible } from '../interrupts.ts';
import type { Io } from '../io.ts';
import { createTerminal } from '../terminal.ts';
import { jsonOption, withDatabase } from './options.ts';

interface Options {
  readonly mongoUrl?: string;
  readonly db?: string;
  readonly json: boolean;
  readonly quiet: boolean;
}

const HELP = `
Looks at this machine, its environment and the servers that it names, as a process started
here would have them: versions, replica set, indexes, eviction, clocks, disks, files with
secrets, addresses of providers, ports. It reads only. Every problem has its remedy.

Exit code: 0 no problem (there may be warnings), 1 problems, 2 usage, 130 interrupted.`;

export function doctorCommand(io: Io): Command {
  const command = new Command('doctor')
    .summary('look for what is wrong with servers and settings')
    .description('Looks for what is wrong with this machine, its settings and the servers.')
    .option('--quiet', 'only what is not well', false)
    .addOption(jsonOption())
    .addHelpText('after', HELP)
    .action(async (options: Options) => {
      await interruptible((signal) => doctor(options, io, signal));
    });
  return withDatabase(command);
}

async function doctor(options: Options, io: Io, signal: AbortSignal): Promise<void> {
  const terminal = createTerminal({ ...io, isQuiet: options.json });
  terminal.live(() => 'looking at servers, settings and files');
  const root = projectRoot();
  const { env, results } = checkEnvironment(joiningEnv(io));
  const { url, database } = resolveDatabase(options, io);
  const looks = await Promise.all([
    checkDisk(root).then((one) => [one]),
    checkPort(env).then((one) => [one]),
    checkMongo(url, database),
    checkRedis(env),
    checkProviders(env),
  ]);
  signal.throwIfAborted();
  terminal.clear();
  const all = [checkNode(process.version), ...results, ...checkFiles(root), ...looks.flat()];
  const counts = countsOf(all);
  if (options.json) {
    terminal.out(JSON.stringify({ ok: counts.problem === 0, counts, checks: all }));
  } else {
    for (const line of linesOf(all, options.quiet)) terminal.out(line);
    terminal.out(`${String(counts.problem)} problems, ${String(counts.warning)} warnings`);
  }
  io.exit(counts.problem === 0 ? EXIT.ok : EXIT.failed);
}

function countsOf(results: readonly CheckResult[]): Readonly<Record<CheckStatus, number>> {
  const of = (status: CheckStatus): number => results.filter((one) => one.status === status).length;
  return { ok: of('ok'), warning: of('warning'), problem: of('problem'), unknown: of('unknown') };
}

const MARKS = { ok: 'ok', warning: 'WARN', problem: 'FAIL', unknown: '??' } as const;

function linesOf(results: readonly CheckResult[], isQuiet: boolean): readonly string[] {
  return results
    .filter(({ status }) => !isQuiet || status !== 'ok')
    .flatMap(({ name, status, detail, remedy }) => [
      `${MARKS[status].padEnd(5)} ${name.padEnd(22)} ${detail}`,
      ...(remedy === undefined ? [] : [`      ${' '.repeat(22)} → ${remedy}`]),
    ]);
}
