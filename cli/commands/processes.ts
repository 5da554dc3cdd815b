import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { describeServers, joiningEnv } from '../connection.ts';
import { projectRoot } from '../dev-file.ts';
import { CliError, EXIT } from '../exit.ts';
import type { Io } from '../io.ts';

const ENVIRONMENT =
  'It is configured by the environment (see .env.example); ' +
  'what that leaves out comes from what `npm start` left in .data/dev.json.';

/** Says where it connects before it does: a worker that joins another stack takes its work. */
function joinStack(io: Io, what: string): void {
  const env = joiningEnv(io);
  Object.assign(process.env, env);
  io.stderr.write(`sluice ${what}: ${describeServers(env)}\n`);
}

export function apiCommand(io: Io): Command {
  return new Command('api')
    .summary('run the HTTP API')
    .description(`Runs the HTTP API until SIGTERM. ${ENVIRONMENT}`)
    .action(async () => {
      joinStack(io, 'api');
      await import('../../api/main.ts');
    });
}

export function workerCommand(io: Io): Command {
  return new Command('worker')
    .summary('run a worker')
    .description(`Runs a worker until SIGTERM. ${ENVIRONMENT}`)
    .action(async () => {
      joinStack(io, 'worker');
      await import('../../workers/main.ts');
    });
}

/** A process of its own: what it needs to start servers is not part of what ships. */
export function upCommand(io: Io): Command {
  return new Command('up')
    .summary('what `npm start` does: servers, API, workers, sample')
    .description('Starts everything on this machine, as `npm start` does.')
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .argument('[options...]', 'see sluice up --help')
    .action(async (_: unknown, __: unknown, command: Command) => {
      const script = join(projectRoot(), 'scripts', 'start.mjs');
      if (!existsSync(script)) {
        const instead = 'use `sluice api` and `sluice worker` here';
        throw new CliError(`\`sluice up\` works in a checkout only; ${instead}.`, EXIT.usage);
      }
      io.exit(await runToEnd(script, command.args));
    });
}

async function runToEnd(script: string, args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [script, ...args], { stdio: 'inherit' });
  // A terminal signals both; a plain kill reaches only us.
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on('SIGTERM', pass).on('SIGINT', () => undefined);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      resolve(signal === null ? (code ?? EXIT.failed) : 128 + constants.signals[signal]);
    });
  });
}
