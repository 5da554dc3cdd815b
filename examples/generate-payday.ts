import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { Command } from 'commander';
import { wholeNumber } from '../cli/commands/options.ts';
import { type PaydayOptions, generatePayday } from './payday.ts';

/** `npx tsx examples/generate-payday.ts --users 200 --seed 1 --days 1 --out examples/payday.ndjson` */
interface Options extends PaydayOptions {
  readonly out?: string;
}

async function write({ out, ...options }: Options): Promise<void> {
  const stream = out === undefined ? process.stdout : createWriteStream(out);
  for (const line of generatePayday(options)) {
    if (!stream.write(`${JSON.stringify(line)}\n`)) await once(stream, 'drain');
  }
  if (stream !== process.stdout) {
    stream.end();
    await once(stream, 'finish');
  }
}

await new Command('generate-payday')
  .description('Writes a pay-day as NDJSON for `sluice import`; the same options, the same file.')
  .option('--users <count>', 'people who are paid', wholeNumber(1, 1_000_000), 200)
  .option('--seed <number>', 'another seed, other people and sums', wholeNumber(0, 999_999_999), 1)
  .option('--days <count>', 'pay-days in a row', wholeNumber(1, 1_000), 1)
  .option('--out <file>', 'instead of standard output')
  .action(write)
  .parseAsync();
