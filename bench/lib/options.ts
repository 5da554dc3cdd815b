import { parseArgs } from 'node:util';

/** `half` and `small` are for a quick look and for CI. */
export type Size = 'full' | 'half' | 'small';

export const FIGURES = [
  'settlement',
  'hot',
  'scale',
  'ingest',
  'e2e',
  'realtime',
  'payments',
  'sagas',
  'webhooks',
  'path',
  'latency',
  'deliveries',
  'shapes',
  'reads',
] as const;
export type Figure = (typeof FIGURES)[number];

/** Those that have a small size. */
const SMALL_FIGURES: ReadonlySet<Figure> = new Set<Figure>([
  'payments',
  'webhooks',
  'shapes',
  'reads',
]);

export interface BenchOptions {
  readonly only: readonly Figure[];
  readonly size: Size;
  /** Judges by the floors of CI, and measures once more what falls below one. */
  readonly floors: boolean;
  /** Only ratios whose name contains it. */
  readonly ratio: string | undefined;
  /** Without the other sides, of which only we differ from commit to commit. */
  readonly ours: boolean;
  /** The commit to compare with. */
  readonly against: string | undefined;
  /** Only says what would be measured. */
  readonly list: boolean;
  readonly help: boolean;
  readonly profile: boolean;
  /** Where the JSON goes; a name by the date when absent. */
  readonly json: string | undefined;
  readonly rounds: number;
  /** Minutes to wait for a quiet machine, all rounds together. */
  readonly waitMinutes: number;
  /** Writes the table of docs/PERFORMANCE.md. */
  readonly writeDocs: boolean;
  /** Takes the results of an earlier run instead of measuring. */
  readonly from: string | undefined;
}

export const USAGE = `npm run bench -- [--only ${FIGURES.join(',')}]
                 [--quick] [--rounds N] [--wait-quiet MINUTES] [--json FILE] [--write-docs]
npm run bench -- --only shapes,payments,webhooks,reads --small --floors [--rounds N] [--ratio TEXT]
npm run bench -- --against COMMIT [--only …] [--quick] [--rounds N]
npm run bench -- --write-docs --from FILE
npm run bench -- --profile
npm run bench -- --list | --help

--quick   half the size           --small   seconds each, as CI runs them: these four only
--floors  demands the floors that even a busy machine keeps, instead of the targets, and measures
          once more what falls below one
--ratio   only the ratios whose name contains it, and what they are made of
--against this checkout and another commit in turns, each by its own bench
--ours    without the other sides of the ratios
--list    the scenarios and the ratios, without measuring anything`;

const ROUNDS = 3;

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @throws UsageError for anything that is not understood, an unknown figure included. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const values = valuesOf(args);
  const only = figuresOf(values.only);
  const rounds = numberOf('--rounds', values.rounds);
  const waitMinutes = numberOf('--wait-quiet', values['wait-quiet']);
  if (!Number.isInteger(rounds) || rounds < 1) throw wrong('--rounds must be at least 1');
  if (values.from !== undefined && !values['write-docs']) {
    throw wrong('--from goes with --write-docs');
  }
  const large = only.filter((figure) => !SMALL_FIGURES.has(figure));
  if (values.small && large.length > 0) {
    throw wrong(`--small goes with --only ${[...SMALL_FIGURES].join(',')}`);
  }
  return {
    only,
    rounds,
    waitMinutes,
    size: values.small ? 'small' : values.quick ? 'half' : 'full',
    floors: values.floors,
    ratio: values.ratio,
    ours: values.ours,
    against: values.against,
    list: values.list,
    help: values.help,
    profile: values.profile,
    json: values.json,
    writeDocs: values['write-docs'],
    from: values.from,
  };
}

function valuesOf(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: 'string' },
        quick: { type: 'boolean', default: false },
        small: { type: 'boolean', default: false },
        floors: { type: 'boolean', default: false },
        ratio: { type: 'string' },
        ours: { type: 'boolean', default: false },
        against: { type: 'string' },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        profile: { type: 'boolean', default: false },
        json: { type: 'string' },
        rounds: { type: 'string', default: String(ROUNDS) },
        'wait-quiet': { type: 'string', default: '0' },
        'write-docs': { type: 'boolean', default: false },
        from: { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
}

function figuresOf(text: string | undefined): readonly Figure[] {
  if (text === undefined) return FIGURES;
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => FIGURES.every((figure) => figure !== name));
  if (unknown.length > 0) throw wrong(`There is no figure "${unknown.join('", "')}"`);
  return FIGURES.filter((figure) => names.includes(figure));
}

function numberOf(option: string, text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw wrong(`${option} must be a number`);
  return Number(text);
}

function wrong(problem: string): UsageError {
  return new UsageError(`${problem}\n\n${USAGE}`);
}
