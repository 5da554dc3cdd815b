import type { Report } from './report.ts';

const SHOWN_MAX = 25;

/** The report for a person. Pure. */
export function markdownOf(report: Report): string {
  const { verdict, seed, counts, judged, machine, load, rest, versions, settings } = report;
  const lines = [
    `# Chaos: ${verdict}`,
    '',
    `Seed \`${seed}\`, ${report.startedAt}. Again: \`${report.replay}\``,
    '',
    `${String(machine.cores)} cores (${machine.model}), ${String(machine.memoryGb)} GB, load ` +
      `${machine.load.join(' ')} at the end, ${String(load.mean)} in the mean and ` +
      `${String(load.max)} at most while it ran. ` +
      `Node ${versions.node}, MongoDB ${versions.mongodb} in three ` +
      `members, two Redis ${versions.redis}; commit ${versions.commit}. Timing: ${settings.timing}.`,
    '',
    ...(report.foundAfterMs === undefined
      ? []
      : [
          `**An accepted operation was known to be lost after ${inSeconds(report.foundAfterMs)}.**`,
          '',
        ]),
    ...table(
      ['Judged', ''],
      Object.entries(judged).map(([name, count]) => [words(name), String(count)]),
    ),
    '',
    ...table(
      ['Done', ''],
      Object.entries(counts).map(([name, count]) => [words(name), String(count)]),
    ),
    '',
    `Keys without a first answer: ${String(report.unknownOf.keys)}, of which ` +
      `${String(report.unknownOf.applied)} had been taken. ${answers(report)}`,
    '',
    `Rest: ${inSeconds(rest.afterMs)} after the last heal.`,
    '',
    ...violations(report),
    ...shortfalls(report),
    '## Faults',
    '',
    'Healed: from the end of the fault, and of those that overlapped it, until what was open then had ended.',
    '',
    ...table(
      ['Kind', 'times', 'befell', 'accept p99 ms', 'open then', 'healed p50 s', 'p99 s', 'max s'],
      report.faults.map(({ kind, times, strikes, accept, healed }) => [
        kind,
        String(times),
        String(strikes),
        String(accept.p99),
        String(healed.operations),
        ...[healed.p50, healed.p99, healed.max].map(bare),
      ]),
    ),
    '',
    '## Outcomes',
    '',
    ...table(
      ['Type and status', ''],
      Object.entries(report.byStatus).map(([name, count]) => [name, String(count)]),
    ),
    '',
  ];
  return lines.join('\n');
}

function answers({ accept: { calm, all } }: Report): string {
  const inCalm = `${String(calm.p50)} ms (p50) and ${String(calm.p99)} ms (p99) in calm`;
  return `Answers within ${inCalm}, ${String(all.p99)} ms (p99) over all.`;
}

function violations({ violations: found, byRule }: Report): readonly string[] {
  if (found.length === 0) return [];
  const shown = byRule.flatMap(({ rule, count }) => [
    `### ${rule}: ${String(count)}`,
    '',
    ...found
      .filter((one) => one.rule === rule)
      .slice(0, SHOWN_MAX)
      .map(({ subject, detail }) => `- ${subject}: ${detail}`),
    ...(count > SHOWN_MAX ? [`- and ${String(count - SHOWN_MAX)} more (report.json)`] : []),
    '',
  ]);
  return ['## Broken', '', ...shown];
}

function shortfalls({ shortfalls: missing }: Report): readonly string[] {
  if (missing.length === 0) return [];
  return ['## Too little was done', '', ...missing.map((one) => `- ${one}`), ''];
}

export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(head),
    line(head.map((_, index) => (index === 0 ? '---' : '---:'))),
    ...rows.map(line),
  ];
}

export function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

export function inSeconds(ms: number): string {
  return `${bare(ms)} s`;
}

function bare(ms: number): string {
  return (ms / 1_000).toFixed(1);
}
