import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './processes.ts';
import { fixed, judge, latencyOf, microsOf, rateOf } from './report.ts';
import type { Results } from './results.ts';
import { TARGETS } from './scenarios.ts';

const PAGE = join(ROOT, 'docs', 'PERFORMANCE.md');
const START = '<!-- bench:start -->';
const END = '<!-- bench:end -->';

/** Puts the tables of a run between the two comments of docs/PERFORMANCE.md; gives its path. */
export function writeDocs(results: Results): string {
  const text = readFileSync(PAGE, 'utf8');
  const start = text.indexOf(START);
  const end = text.indexOf(END);
  if (start < 0 || end < start) throw new Error(`${PAGE} lacks ${START} or ${END}`);
  const before = text.slice(0, start + START.length);
  writeFileSync(PAGE, `${before}\n\n${tablesOf(results)}\n\n${text.slice(end)}`);
  return PAGE;
}

function tablesOf(results: Results): string {
  return [originOf(results), ratiosOf(results), samplesOf(results)].join('\n\n');
}

function originOf({ at, rounds, quick, environment, loadAfter, othersBefore }: Results): string {
  const { cpu, cores, memoryGb, node, mongod, redis, packages, loadBefore } = environment;
  const list = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  const others = othersBefore.map((share) => `${fixed(share * 100)} %`).join(', ');
  return [
    `Measured ${at.slice(0, 10)}${quick ? ' with `--quick`' : ''}, medians of ${rounds}:`,
    `${cores} cores (${cpu}), ${memoryGb} GB, Node ${node}, MongoDB ${mongod}, Redis ${redis},`,
    `${list.join(', ')}.`,
    `Load average ${loadBefore} before and ${loadAfter} after; others used ${others} of the CPU`,
    'just before the rounds.',
  ].join('\n');
}

function ratiosOf({ samples }: Results): string {
  const judgements = new Map(judge(TARGETS, samples).map((one) => [one.what, one]));
  const rows = TARGETS.map(({ what, of, against, atLeast }) => {
    const judgement = judgements.get(what);
    return [
      what,
      cellOf(samples[against], rateOf),
      cellOf(samples[of], rateOf),
      judgement === undefined ? NONE : `${fixed(judgement.ratio, 2)}×`,
      judgement?.perRound.map((ratio) => fixed(ratio, 2)).join(' ') ?? NONE,
      atLeast === undefined ? '' : `≥ ${String(atLeast)}×`,
    ];
  });
  const head = ['', 'against, per second', 'per second', 'ratio', 'rounds', 'target'];
  return markdownTable([head, ...rows]);
}

function samplesOf({ samples }: Results): string {
  const rows = Object.entries(samples).map(([name, list]) => [
    name,
    rateOf(list),
    latencyOf(list, 'p50'),
    latencyOf(list, 'p99'),
    microsOf(list, 'node'),
    microsOf(list, 'mongod'),
    microsOf(list, 'redis'),
  ]);
  const cpu = ['Node, µs CPU/op', 'mongod', 'Redis'];
  return markdownTable([['', 'per second', 'p50 ms', 'p99 ms', ...cpu], ...rows]);
}

const NONE = '–';

function cellOf<T>(value: T | undefined, show: (value: T) => string): string {
  return value === undefined ? NONE : show(value);
}

/** As the formatter leaves it: padded, the first column to the left, the rest to the right. */
function markdownTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string => `| ${row.map(padded).join(' | ')} |`;
  const padded = (cell: string, column: number): string => {
    const width = widths[column] ?? 0;
    return column === 0 ? cell.padEnd(width) : cell.padStart(width);
  };
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  const [head = [], ...body] = rows;
  return [line(head), `| ${rule.join(' | ')} |`, ...body.map(line)].join('\n');
}
