import { Command, CommanderError } from 'commander';
import { isPassing, toAppError } from '../core/infra/database-errors.ts';
import { AppError } from '../core/kernel/errors.ts';
import { autoscaleCommand } from './commands/autoscale.ts';
import { configCommand } from './commands/config.ts';
import { importCommand } from './commands/import.ts';
import { keysCommand } from './commands/keys.ts';
import { ledgerCommand } from './commands/ledger.ts';
import { pauseCommand, pausesCommand, resumeCommand } from './commands/pauses.ts';
import { healthCommand } from './commands/health.ts';
import { doctorCommand } from './commands/doctor.ts';
import { topCommand } from './commands/top.ts';
import { redispatchCommand } from './commands/redispatch.ts';
import { apiCommand, upCommand, workerCommand } from './commands/processes.ts';
import { CliError, EXIT } from './exit.ts';
import type { Io } from './io.ts';

const COMMANDS: readonly ((io: Io) => Command)[] = [
  upCommand,
  apiCommand,
  workerCommand,
  importCommand,
  ledgerCommand,
  redispatchCommand,
  keysCommand,
  configCommand,
  pauseCommand,
  resumeCommand,
  pausesCommand,
  autoscaleCommand,
  healthCommand,
  topCommand,
  doctorCommand,
];

/** Runs `sluice …`. Every expected end becomes an exit code; what is thrown is a bug. */
export async function runSluice(args: readonly string[], io: Io): Promise<void> {
  const program = new Command('sluice')
    .description('Queue-driven payment operations: submit, run, check.')
    .helpCommand(true);
  for (const create of COMMANDS) program.addCommand(create(io));
  prepareAll(program, io);
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      io.exit(error.exitCode === 0 ? EXIT.ok : EXIT.usage);
    } else if (error instanceof CliError) {
      io.stderr.write(`sluice: ${error.message}\n`);
      io.exit(error.exitCode);
    } else if (error instanceof AppError) {
      io.stderr.write(`sluice: ${error.detail}\n`);
      io.exit(EXIT.gaveUp);
    } else if (isPassing(error)) {
      io.stderr.write(`sluice: ${toAppError(error).detail}\n`);
      io.exit(EXIT.gaveUp);
    } else {
      throw error;
    }
  }
}

/** Commander ends with 1 for a wrong argument; ours is 2, so it shall throw, everywhere. */
function prepareAll(command: Command, io: Io): void {
  command
    .exitOverride()
    .showHelpAfterError('(--help says more)')
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    });
  for (const child of command.commands) prepareAll(child, io);
}
