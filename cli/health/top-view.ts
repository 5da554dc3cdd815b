import { formatCount, formatTable } from '../format.ts';
import { type CliReport, painted, reportLines } from './report.ts';
import { type Scrape, rateOf } from './scrape.ts';

export interface QueueLook {
  readonly queue: string;
  readonly waiting: number;
  readonly prioritised: number;
  readonly delayed: number;
  readonly active: number;
  readonly oldestWaitSeconds: number;
  readonly workers: number;
}

/** Everything at one moment; what does not answer is missing. */
export interface Look {
  readonly atMs: number;
  readonly report?: CliReport | undefined;
  readonly queues?: readonly QueueLook[] | undefined;
  readonly api?: Scrape | undefined;
  /** Of each worker that is known. */
  readonly workers: readonly (Scrape | undefined)[];
}

interface View {
  readonly url: string;
  readonly hasColours: boolean;
  readonly columns: number;
  readonly rows: number;
}

/** The screen as lines, none longer and not more of them than it has room for. Pure. */
export function topLines(look: Look, before: Look | undefined, view: View): readonly string[] {
  const { report } = look;
  const verdict = report?.verdict ?? 'unknown';
  const time = new Date(look.atMs).toISOString().slice(11, 19);
  const head = `sluice top  ${time}  ${view.url}  `;
  const lines = [
    head + painted(verdict.toUpperCase(), verdict, view.hasColours),
    '',
    ...formatTable(rateRows(look, before)),
    '',
    ...(report === undefined
      ? ['no health report: the API does not answer']
      : reportLines(report, { hasColours: view.hasColours, isFull: false }).slice(1)),
    '',
    ...queueLines(look),
  ];
  return lines.slice(0, view.rows).map((line) => cut(line, view.columns));
}

function rateRows(look: Look, before: Look | undefined): string[][] {
  const seconds = before === undefined ? 0 : (look.atMs - before.atMs) / 1_000;
  const pairOf = (index: number) => [before?.workers[index], look.workers[index]] as const;
  const ofWorkers = (name: string): number | undefined => {
    const rates = look.workers.map((_one, index) => rateOf(name, pairOf(index), seconds));
    const known = rates.filter((rate) => rate !== undefined);
    return known.length === 0 ? undefined : known.reduce((sum, rate) => sum + rate, 0);
  };
  const ofApi = (name: string): number | undefined =>
    rateOf(name, [before?.api, look.api], seconds);
  const gauge = (name: string): string => countText(look.api?.sums.get(name));
  const answering = look.workers.filter((one) => one !== undefined).length;
  const lanes = look.workers.reduce(
    (sum, one) => sum + (one?.sums.get('sluice_lanes_held') ?? 0),
    0,
  );
  return [
    ['accepted/s', perSecond(ofApi('sluice_operations_accepted_total')), '', ''],
    ['settled/s', perSecond(ofWorkers('sluice_operations_settled_total')), '', ''],
    ['refused/s', perSecond(ofApi('sluice_requests_refused_total')), '', ''],
    ['delivered/s', perSecond(ofWorkers('sluice_deliveries_finished_total')), '', ''],
    ['backlog', gauge('sluice_accepted_backlog'), '', ''],
    [
      'workers',
      `${String(answering)} of ${String(look.workers.length)} asked`,
      'lanes',
      String(lanes),
    ],
  ].map((row) => row.filter((cell) => cell !== ''));
}

function queueLines({ queues }: Look): readonly string[] {
  if (queues === undefined) return ['queues: unknown, Redis does not answer'];
  const head = ['queue', 'waiting', 'prio', 'delayed', 'active', 'oldest s', 'workers'];
  const rows = queues.map((one) => [
    one.queue,
    ...[one.waiting, one.prioritised, one.delayed, one.active].map((count) => formatCount(count)),
    one.oldestWaitSeconds.toFixed(1),
    String(one.workers),
  ]);
  return formatTable([head, ...rows]);
}

function perSecond(rate: number | undefined): string {
  return rate === undefined ? '-' : rate.toFixed(1);
}

function countText(value: number | undefined): string {
  return value === undefined ? '-' : formatCount(value);
}

const ESCAPE = /\u001b\[\d+m/g; // eslint-disable-line no-control-regex -- colours take no column

/** To a width, colours aside; a line that is cut loses them. */
function cut(line: string, columns: number): string {
  const plain = line.replace(ESCAPE, '');
  return plain.length <= columns ? line : plain.slice(0, columns);
}
