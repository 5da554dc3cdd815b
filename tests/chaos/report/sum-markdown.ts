import { inSeconds, table, words } from './markdown.ts';
import { CALM_S_MIN, type ReportSum, type Times } from './sum.ts';

/** The sum of many runs for a person. Pure. */
export function sumMarkdownOf(sum: ReportSum): string {
  const { counts, judged, accept, load, rest } = sum;
  const list = (of: Readonly<Record<string, number>>): string =>
    Object.entries(of)
      .map(([name, count]) => `${name} (${String(count)})`)
      .join(', ');
  return [
    `${String(sum.runs)} runs, ${String(Math.round(sum.minutes))} minutes of faults, ` +
      `${String(sum.seeds.length)} seeds: ${list(sum.verdicts)}. ` +
      `${list(sum.machines)}; load ${String(load.mean)} in the mean, ` +
      `${String(load.max)} at most. Commits: ${list(sum.commits)}.`,
    '',
    `Seeds: ${sum.seeds.join(', ')}.`,
    '',
    ...table(
      ['Done', ''],
      [
        ...Object.entries(counts).map(([name, count]): [string, string] => [name, grouping(count)]),
        ['duplicates per 1,000 webhooks', String(sum.duplicatesPerThousand)],
      ],
    ),
    '',
    ...table(
      ['Judged', ''],
      Object.entries(judged).map(([name, count]) => [words(name), grouping(count)]),
    ),
    '',
    `Accepted within ${ms(accept.calm)} in calm and ${ms(accept.all)} over all. What was open at the last ` +
      `heal of a run had ended after ${inSeconds(rest.p50)} (p50), ${inSeconds(rest.p99)} (p99), ` +
      `${inSeconds(rest.max)} (max; ${grouping(rest.count)} operations).`,
    '',
    `Healed: from the end of the fault and of those that overlapped it, until what was open then had ` +
      `ended; only of runs with calms of ${String(CALM_S_MIN)} s or more.`,
    '',
    ...table(
      ['Kind', 'times', 'befell', 'accept p99 ms', 'open then', 'healed p50 s', 'p99 s', 'max s'],
      sum.kinds.map(({ kind, times, strikes, accept: own, healed }) => [
        kind,
        String(times),
        grouping(strikes),
        own.count === 0 ? '' : grouping(own.p99),
        grouping(healed.count),
        ...[healed.p50, healed.p99, healed.max].map((one) => shown(healed, one)),
      ]),
    ),
    '',
  ].join('\n');
}

/** Nothing was open, so nothing was measured. */
function shown({ count }: Times, value: number): string {
  return count === 0 ? '' : (value / 1_000).toFixed(1);
}

function ms({ p50, p99 }: Times): string {
  return `${grouping(p50)} ms (p50) and ${grouping(p99)} ms (p99)`;
}

function grouping(value: number): string {
  return value.toLocaleString('en-US');
}
