import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './processes.ts';
import type { Sample } from './measure.ts';
import { type Samples, fixed, judge, latencyOf, microsOf, rateOf, waitsOf } from './report.ts';
import type { Results } from './results.ts';
import { TARGETS } from './scenarios.ts';
import { SHAPE_TARGETS } from './shapes.ts';
import type { Target } from './targets.ts';

const PAGE = join(ROOT, 'docs', 'PERFORMANCE.md');

/**
 * Puts the tables of a run between the comments of docs/PERFORMANCE.md, those of the shapes of load
 * between comments of their own; gives its path. What was not measured stays.
 */
export function writeDocs(results: Results): string {
  let text = readFileSync(PAGE, 'utf8');
  for (const section of ['bench', 'shapes'] as const) {
    const targets = TARGETS.filter(
      ({ figure }) => (figure === 'shapes') === (section === 'shapes'),
    );
    if (judge(targets, results.samples).length === 0) continue;
    text = between(text, section, tablesOf(results, targets));
  }
  writeFileSync(PAGE, text);
  return PAGE;
}

function between(text: string, section: string, tables: string): string {
  const [startMark, endMark] = [`<!-- ${section}:start -->`, `<!-- ${section}:end -->`];
  const start = text.indexOf(startMark);
  const end = text.indexOf(endMark);
  if (start < 0 || end < start) throw new Error(`${PAGE} lacks ${startMark} or ${endMark}`);
  const before = text.slice(0, start + startMark.length);
  return `${before}\n\n${tables}\n\n${text.slice(end)}`;
}

function tablesOf(results: Results, targets: readonly Target[]): string {
  const isOfShapes = targets.some(({ figure }) => figure === 'shapes');
  const ofShapes = new Set(SHAPE_TARGETS.flatMap(({ of, against }) => [of, against]));
  const samples = Object.fromEntries(
    Object.entries(results.samples).filter(([name]) => ofShapes.has(name) === isOfShapes),
  );
  const tables = [ratiosOf(samples, targets), samplesOf(samples, isOfShapes), waitsTable(samples)];
  return [originOf(results), ...tables.filter((table) => table !== '')].join('\n\n');
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

function ratiosOf(samples: Samples, targets: readonly Target[]): string {
  const judgements = new Map(judge(targets, samples).map((one) => [one.what, one]));
  const rows = targets.map(({ what, of, against, atLeast, measure }) => {
    const judgement = judgements.get(what);
    const show = (list: readonly Sample[]): string => rateOf(list, measure);
    return [
      what,
      cellOf(samples[against], show),
      cellOf(samples[of], show),
      judgement === undefined ? NONE : `${fixed(judgement.ratio, 2)}×`,
      judgement?.perRound.map((ratio) => fixed(ratio, 2)).join(' ') ?? NONE,
      atLeast === undefined ? '' : `≥ ${String(atLeast)}×`,
    ];
  });
  const head = ['', 'against, per second', 'per second', 'ratio', 'rounds', 'target'];
  return markdownTable([head, ...rows]);
}

function samplesOf(samples: Samples, isOfShapes: boolean): string {
  const rows = Object.entries(samples).map(([name, list]) => [
    name,
    rateOf(list),
    ...(isOfShapes
      ? [rateOf(list, 'others'), rateOf(list, 'looks'), rateOf(list, 'memory')]
      : [latencyOf(list, 'p50'), latencyOf(list, 'p99')]),
    microsOf(list, 'node'),
    microsOf(list, 'mongod'),
    microsOf(list, 'redis'),
  ]);
  const cpu = ['Node, µs CPU/op', 'mongod', 'Redis'];
  const between = isOfShapes ? ['others', 'looked at/op', 'peak MB'] : ['p50 ms', 'p99 ms'];
  return markdownTable([['', 'per second', ...between, ...cpu], ...rows]);
}

function waitsTable(samples: Samples): string {
  const rows = waitsOf(samples).map(({ name, of, p50, rounds, p99 }) => [
    `${name}: ${of}`,
    fixed(p50),
    rounds.map((value) => fixed(value)).join(' '),
    fixed(p99),
  ]);
  return rows.length === 0 ? '' : markdownTable([['', 'p50 ms', 'rounds', 'p99 ms'], ...rows]);
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
