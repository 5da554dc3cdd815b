import { join } from 'node:path';
import { Command, Option } from 'commander';
import { z } from 'zod';
import { LIMITS } from '../../config/limits.ts';
import { NODE_FLAGS } from '../../config/node-flags.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { type ApiClient, createApiClient, describeProblem } from '../api-client.ts';
import { type Crew, createCrew } from '../autoscale/crew.ts';
import { type Scaler, createScaler } from '../autoscale/scaler.ts';
import { describeServers, joiningEnv, resolveAddress } from '../connection.ts';
import { projectRoot } from '../dev-file.ts';
import { CliError, EXIT, InterruptedError } from '../exit.ts';
import { interruptible } from '../interrupts.ts';
import type { Io } from '../io.ts';
import { type Terminal, createTerminal } from '../terminal.ts';
import { secondsAsMs, wholeNumber } from './options.ts';

interface Options {
  readonly url?: string;
  readonly min: number;
  readonly max: number;
  readonly every: number;
}

const EVERY_MS = 5_000;
/** With the default interval a worker is stopped after half a minute of little work. */
const PATIENCE = 6;
const RETRY_FOR_MS = 600_000;
const FIRST_ANSWER_MS = 30_000;
const STOP_MS = LIMITS.drainDeadlineMs + 5_000;

const HELP = `
Asks the API how many workers there should be (/internal/autoscale) and runs that many on
this machine; more at once, fewer one by one after half a minute of little work, each of
them stopped in good order. The environment is handed to them; what it leaves out comes from
what \`npm start\` left. Workers that were started elsewhere are not counted. Ctrl-C stops all.`;

export function autoscaleCommand(io: Io): Command {
  return new Command('autoscale')
    .summary('run as many workers as there is work for')
    .description('Runs as many workers on this machine as there is work for.')
    .option('--url <url>', 'address of the API (SLUICE_URL, else what `npm start` left)')
    .addOption(
      new Option('--min <count>', 'never fewer')
        .argParser(wholeNumber(0, LIMITS.replicasMax))
        .default(1),
    )
    .addOption(
      new Option('--max <count>', 'never more')
        .argParser(wholeNumber(1, LIMITS.replicasMax))
        .default(LIMITS.replicasDefaultMax),
    )
    .addOption(
      new Option('--every <seconds>', 'how often to ask')
        .argParser(secondsAsMs)
        .default(EVERY_MS, String(EVERY_MS / 1_000)),
    )
    .addHelpText('after', HELP)
    .action(async (options: Options) => {
      if (options.min > options.max) {
        throw new CliError('--min must not be above --max.', EXIT.usage);
      }
      await interruptible((signal) => autoscale(options, io, signal));
    });
}

async function autoscale(options: Options, io: Io, signal: AbortSignal): Promise<void> {
  const terminal = createTerminal(io);
  const connection = { key: '', ...resolveAddress(options, io) };
  const retry = { forMs: RETRY_FOR_MS, signal, onWait: (why: string) => terminal.live(() => why) };
  const client = createApiClient({ connection, retry, firstAnswerMs: FIRST_ANSWER_MS });
  const crew = createCrew({
    command: process.execPath,
    args: [...NODE_FLAGS, join(projectRoot(), 'scripts', 'sluice.mjs'), 'worker'],
    env: workerEnv(io),
    say: (line) => {
      terminal.note(line);
    },
    stopMs: STOP_MS,
  });
  terminal.note(`its workers use ${describeServers(workerEnv(io))}`);
  const scaler = createScaler({ ...options, patience: PATIENCE });
  try {
    for (;;) {
      await adjust({ client, crew, scaler, terminal, options });
      await systemClock.sleep(options.every, signal);
      signal.throwIfAborted();
    }
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error;
    terminal.note(`stopping ${String(crew.size)} workers`);
  } finally {
    await crew.dismiss();
  }
}

interface Round {
  readonly client: ApiClient;
  readonly crew: Crew;
  readonly scaler: Scaler;
  readonly terminal: Terminal;
  readonly options: Options;
}

const adviceSchema = z.looseObject({
  pools: z.record(
    z.string(),
    z.looseObject({ backlog: z.number(), recommendedReplicas: z.int().min(0) }),
  ),
});

async function adjust({ client, crew, scaler, terminal, options }: Round): Promise<void> {
  const path = `/internal/autoscale?min=${String(options.min)}&max=${String(options.max)}`;
  const reply = await client.send({ method: 'GET', path });
  const advice = adviceSchema.safeParse(reply.body).data;
  if (reply.status !== 200 || advice === undefined) {
    const said = describeProblem(reply.body);
    throw new CliError(`${path} answers ${String(reply.status)} ${said}`.trimEnd(), EXIT.usage);
  }
  // Our workers run every pool, so the pool that needs most decides.
  const pools = Object.values(advice.pools);
  const recommended = Math.max(0, ...pools.map((pool) => pool.recommendedReplicas));
  const backlog = pools.reduce((sum, pool) => sum + pool.backlog, 0);
  const before = crew.size;
  const target = scaler.next(before, recommended);
  crew.resize(target);
  if (target !== before) {
    terminal.note(`${String(before)} → ${String(target)} workers (backlog ${String(backlog)})`);
  }
}

export function workerEnv({ env, dev }: Pick<Io, 'env' | 'dev'>): NodeJS.ProcessEnv {
  // Each takes a free port for its probes.
  return { ...joiningEnv({ env, dev }), WORKER_PORT: '0' };
}
