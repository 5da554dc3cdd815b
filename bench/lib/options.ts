import { parseArgs } from 'node:util';

export const FIGURES = ['settlement', 'hot', 'scale', 'ingest', 'e2e'] as const;
export type Figure = (typeof FIGURES)[number];

export interface BenchOptions {
  readonly only: ReadonlySet<Figure>;
  readonly quick: boolean;
  readonly profile: boolean;
  /** Where the JSON goes; a name by the date when absent. */
  readonly json: string | undefined;
  readonly rounds: number;
}

export const USAGE = `npm run bench -- [--only ${FIGURES.join(',')}] [--quick] [--rounds N] [--json FILE]
npm run bench -- --profile`;

const ROUNDS = 3;

export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      quick: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      json: { type: 'string' },
      rounds: { type: 'string', default: String(ROUNDS) },
    },
  });
  const names = values.only?.split(',').map((name) => name.trim()) ?? [...FIGURES];
  const only = FIGURES.filter((figure) => names.includes(figure));
  const rounds = Number(values.rounds);
  if (only.length !== new Set(names).size || !Number.isInteger(rounds) || rounds < 1) {
    throw new Error(`Not understood: ${args.join(' ')}\n${USAGE}`);
  }
  return {
    only: new Set(only),
    quick: values.quick,
    profile: values.profile,
    json: values.json,
    rounds,
  };
}
