import { Command, CommanderError, Option } from 'commander';
import { wholeNumber } from '../../../cli/commands/options.ts';
import { EXIT } from '../../../cli/exit.ts';

export interface UpOptions {
  /** Undefined: 3000, or a free one when that is taken. */
  readonly port: number | undefined;
  readonly workers: number;
  readonly sample: boolean;
}

const PORT_MAX = 65_535;
const WORKERS_MAX = 16;

const HELP = `
MongoDB and Redis are started under .data/ unless MONGO_URL and REDIS_URL name running ones;
the environment is passed on to the API and the workers (see .env.example). Keys and
passwords are made once and kept in .data/dev.json; the logs are in .data/logs/.`;

/** The command line, or the exit code when there is nothing to run (`--help`, a mistake). */
export function parseUpOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): UpOptions | number {
  const command = new Command('npm start --')
    .description('Starts everything on this machine and keeps it up until Ctrl-C.')
    .addOption(
      new Option(
        '--port <port>',
        'port of the API (default: PORT, else 3000 or a free one)',
      ).argParser(wholeNumber(1, PORT_MAX)),
    )
    .addOption(
      new Option(
        '--workers <count>',
        'workers, of two processes each: settlement, and what meets the outside',
      )
        .argParser(wholeNumber(1, WORKERS_MAX))
        .default(1),
    )
    .option('--no-sample', 'do not submit examples/payday.ndjson')
    .addHelpText('after', HELP)
    .showHelpAfterError('(--help says more)')
    .exitOverride();
  try {
    // As if it stood on the command line, so that it is judged in the same way; the last one counts.
    const fromEnv = env['PORT'] === undefined || env['PORT'] === '' ? [] : ['--port', env['PORT']];
    command.parse([...fromEnv, ...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  const { port, workers, sample } = command.opts<UpOptions>();
  return { port, workers, sample };
}
