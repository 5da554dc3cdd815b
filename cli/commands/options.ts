import { type Command, InvalidArgumentError, Option } from 'commander';

/** Shared option texts and parsers. */
export function withConnection(command: Command): Command {
  return command
    .option('--url <url>', 'address of the API (SLUICE_URL, else what `npm start` left)')
    .option('--key <key>', 'API key (SLUICE_API_KEY, else what `npm start` left)');
}

export function withDatabase(command: Command): Command {
  return command
    .option('--mongo-url <url>', 'address of MongoDB (MONGO_URL, else what `npm start` left)')
    .option('--db <name>', 'name of the database (MONGO_DB, else sluice)');
}

export function jsonOption(): Option {
  return new Option('--json', 'print one JSON document instead of text').default(false);
}

export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(
      `It must be a whole number from ${String(min)} to ${String(max)}.`,
    );
  };
}

/** Seconds on the command line, milliseconds inside. */
export function secondsAsMs(text: string): number {
  const value = /^\d{1,7}(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 0) return value * 1_000;
  throw new InvalidArgumentError('It must be a number of seconds.');
}
