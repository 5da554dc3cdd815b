import { Command, CommanderError } from 'commander';
import { AppError } from '../../core/kernel/errors.ts';
import { importCommand } from './commands/import.ts';
import { keysCommand } from './commands/keys.ts';
import { ledgerCommand } from './commands/ledger.ts';
import { apiCommand, upCommand, workerCommand } from './commands/processes.ts';
import { CliError, EXIT } from './exit.ts';

const COMMANDS: readonly (() => Command)[] = [
  upCommand,
  apiCommand,
  workerCommand,
  importCommand,
  ledgerCommand,
  keysCommand,
];

function createProgram(): Command {
  const program = new Command('sluice')
    .description('Queue-driven payment operations: submit, run, check.')
    .helpCommand(true);
  for (const create of COMMANDS) program.addCommand(create());
  inherit(program);
  return program;
}

/** Commander exits with 1 for a wrong argument; ours is 2, so it shall throw, everywhere. */
function inherit(command: Command): void {
  command.exitOverride().showHelpAfterError('(--help says more)');
  for (const child of command.commands) inherit(child);
}

/** Every expected end has its exit code; a stack trace means a bug. */
function endWith(error: unknown): void {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else if (error instanceof CliError) {
    process.stderr.write(`sluice: ${error.message}\n`);
    process.exitCode = error.exitCode;
  } else if (error instanceof AppError) {
    process.stderr.write(`sluice: ${error.detail}\n`);
    process.exitCode = EXIT.gaveUp;
  } else {
    throw error;
  }
}

try {
  await createProgram().parseAsync();
} catch (error) {
  endWith(error);
}
