import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

/** What the fault tests write down: how long after the heal each operation was settled. */
const lineSchema = z.object({ fault: z.string(), tookMs: z.array(z.number().min(0)) });

export type RepairTimes = {
  readonly fault: string;
  readonly operations: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
};

/** Per fault, over all of its operations; in the order of the faults' names. */
export function summariseRepairs(lines: string): readonly RepairTimes[] {
  const byFault = new Map<string, number[]>();
  for (const line of lines.split('\n').filter((text) => text !== '')) {
    const { fault, tookMs } = lineSchema.parse(JSON.parse(line));
    byFault.set(fault, [...(byFault.get(fault) ?? []), ...tookMs]);
  }
  const times = [...byFault].map(([fault, tookMs]) => {
    // Settled before the heal, they needed none.
    const sorted = tookMs.filter((ms) => ms > 0).sort((a, b) => a - b);
    const at = (share: number): number => sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
    return { fault, operations: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
  });
  const order = (fault: string): number => Number(/^W(\d+)/.exec(fault)?.[1] ?? '99');
  return times
    .filter(({ operations }) => operations > 0)
    .sort((a, b) => a.fault.localeCompare(b.fault))
    .sort((a, b) => order(a.fault) - order(b.fault));
}

/** As Markdown, in seconds. */
export function formatRepairs(times: readonly RepairTimes[]): string {
  const seconds = (ms: number): string => (ms / 1_000).toFixed(1);
  const rows = times.map(({ fault, operations, p50Ms, p99Ms, maxMs }) => [
    fault,
    String(operations),
    ...[p50Ms, p99Ms, maxMs].map(seconds),
  ]);
  const head = ['Fault', 'operations', 'p50 s', 'p99 s', 'max s'];
  const table = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string => {
    const cells = row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column === 0 ? cell.padEnd(width) : cell.padStart(width);
    });
    return `| ${cells.join(' | ')} |`;
  };
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [line(head), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n');
}

/** Reads the report of a run; writes the figures beside it. Undefined when there are none. */
export function reportRepairs(path: string): string | undefined {
  let lines: string;
  try {
    lines = readFileSync(path, 'utf8');
  } catch {
    return undefined; // no fault test has run
  }
  const times = summariseRepairs(lines);
  const json = path.replace(/\.ndjson$/, '.json');
  writeFileSync(json, `${JSON.stringify({ at: new Date().toISOString(), times }, undefined, 2)}\n`);
  return `Time to repair, from the end of the fault (${json}):\n\n${formatRepairs(times)}\n`;
}
