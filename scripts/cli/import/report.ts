import { formatBar, formatBytes, formatCount, formatDuration, formatTable } from '../format.ts';
import type { ImportProgress } from './run.ts';
import { type Tally, totalOf } from './tally.ts';

const RATE_WINDOW_MS = 10_000;

/** Turns progress into one line; remembers a little of the past, for the rate. */
export function createProgressLine(now: () => number = () => performance.now()) {
  const samples: { readonly atMs: number; readonly items: number; readonly bytes: number }[] = [];
  return (progress: ImportProgress): string => {
    const { tally, bytesTotal, outstanding, notice } = progress;
    const latest = { atMs: now(), items: tally.fresh + tally.known, bytes: tally.bytesDone };
    samples.push(latest);
    while (samples.length > 2 && latest.atMs - (samples[0]?.atMs ?? 0) > RATE_WINDOW_MS) {
      samples.shift();
    }
    const first = samples[0] ?? latest;
    const seconds = (latest.atMs - first.atMs) / 1_000;
    const perSecond = seconds > 0 ? (latest.items - first.items) / seconds : 0;
    const bytesPerSecond = seconds > 0 ? (latest.bytes - first.bytes) / seconds : 0;
    const left = bytesTotal === undefined ? 0 : bytesTotal - tally.bytesDone;
    const refused = totalOf(tally.refused) + totalOf(tally.rejected);
    const parts = [
      progressOf(tally, bytesTotal),
      `${formatCount(latest.items)} accepted`,
      `${formatCount(Math.round(perSecond))}/s`,
      ...(outstanding > 0 ? [`${formatCount(outstanding)} to settle`] : []),
      ...(refused > 0 ? [`${formatCount(refused)} refused`] : []),
      ...(left > 0 && bytesPerSecond > 0
        ? [`${formatDuration((left / bytesPerSecond) * 1_000)} left`]
        : []),
      ...(notice === undefined ? [] : [`waiting: ${notice}`]),
    ];
    return parts.join(' · ');
  };
}

function progressOf({ bytesDone }: Tally, bytesTotal: number | undefined): string {
  if (bytesTotal === undefined) return formatBytes(bytesDone);
  const share = bytesTotal === 0 ? 1 : bytesDone / bytesTotal;
  return `${formatBar(share)} ${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`;
}

export interface ImportSummary {
  readonly file: string;
  readonly lines: number;
  readonly new: number;
  readonly known: number;
  readonly succeeded: number;
  /** Accepted, and not succeeded: by error code. */
  readonly rejected: Readonly<Record<string, number>>;
  /** Never accepted: by error code. */
  readonly refused: Readonly<Record<string, number>>;
  /** Accepted, and not waited for. */
  readonly unsettled: number;
  readonly refusedFile?: string;
  readonly elapsedMs: number;
  readonly perSecond: number;
}

interface Ended {
  readonly file: string;
  readonly tally: Tally;
  readonly refused: { readonly path: string; readonly count: number };
  readonly elapsedMs: number;
}

export function summarize({ file, tally, refused, elapsedMs }: Ended): ImportSummary {
  const accepted = tally.fresh + tally.known;
  return {
    file,
    lines: tally.lines,
    new: tally.fresh,
    known: tally.known,
    succeeded: tally.succeeded,
    rejected: Object.fromEntries(tally.rejected),
    refused: Object.fromEntries(tally.refused),
    unsettled: accepted - tally.succeeded - totalOf(tally.rejected),
    ...(refused.count > 0 && { refusedFile: refused.path }),
    elapsedMs: Math.round(elapsedMs),
    perSecond: elapsedMs > 0 ? Math.round((accepted * 1_000) / elapsedMs) : 0,
  };
}

/** Whether every line was accepted and none of them was settled otherwise than hoped for. */
export function isSuccess({ rejected, refused }: ImportSummary): boolean {
  return Object.keys(rejected).length === 0 && Object.keys(refused).length === 0;
}

/** The summary for a person. */
export function summaryLines(summary: ImportSummary): string[] {
  const { elapsedMs, perSecond } = summary;
  const count = formatCount(summary.lines);
  const head = `${summary.file}: ${count} lines in ${formatDuration(elapsedMs)}`;
  const byCode = (counts: Readonly<Record<string, number>>, what: string): string[][] =>
    Object.entries(counts)
      .sort(([, a], [, b]) => b - a)
      .map(([code, times]) => [`  ${what}: ${code}`, formatCount(times)]);
  const unsettled = summary.unsettled;
  const rows = [
    ['  new', formatCount(summary.new)],
    ['  already known', formatCount(summary.known)],
    ['  succeeded', formatCount(summary.succeeded)],
    ...byCode(summary.rejected, 'rejected'),
    ...byCode(summary.refused, 'refused'),
    ...(unsettled > 0 ? [['  not settled yet', formatCount(unsettled)]] : []),
  ];
  return [`${head} (${formatCount(perSecond)}/s)`, ...formatTable(rows), ...verdict(summary)];
}

function verdict(summary: ImportSummary): string[] {
  const { known, lines, refusedFile } = summary;
  const isNothingNew = summary.new === 0 && known > 0 && known === lines;
  return [
    ...(isNothingNew
      ? [`nothing changed: all ${formatCount(known)} operations were already known`]
      : []),
    ...(refusedFile === undefined ? [] : [`the lines that did not succeed are in ${refusedFile}`]),
  ];
}
