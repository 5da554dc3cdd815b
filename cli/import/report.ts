import { formatBar, formatBytes, formatCount, formatDuration, formatTable } from '../format.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { ImportProgress } from './run.ts';
import { type Tally, totalOf } from './tally.ts';
import type { EarlierTries } from './unfinished.ts';

const RATE_WINDOW_MS = 10_000;
/** Progress comes several times a second; the rate needs less. */
const SAMPLE_EVERY_MS = 500;

/** Turns progress into one line; remembers a little of the past, for the rate. */
export interface ProgressLine {
  /** To be called at every progress, shown or not. */
  sample(progress: ImportProgress): void;
  text(progress: ImportProgress): string;
}

interface Sample {
  readonly atMs: number;
  readonly items: number;
  readonly bytes: number;
}

export function createProgressLine(now: () => number = () => performance.now()): ProgressLine {
  const samples: Sample[] = [{ atMs: now(), items: 0, bytes: 0 }];
  const sampleOf = ({ tally }: ImportProgress): Sample => ({
    atMs: now(),
    items: tally.fresh + tally.known,
    bytes: tally.bytesDone,
  });
  return {
    sample: (progress) => {
      const latest = sampleOf(progress);
      if (latest.atMs - (samples.at(-1)?.atMs ?? 0) < SAMPLE_EVERY_MS) return;
      samples.push(latest);
      while (latest.atMs - (samples[0]?.atMs ?? latest.atMs) > RATE_WINDOW_MS) samples.shift();
    },
    text: (progress) => {
      const latest = sampleOf(progress);
      const first = samples[0] ?? latest;
      const perSecond = (value: 'items' | 'bytes'): number =>
        ((latest[value] - first[value]) * 1_000) / Math.max(1, latest.atMs - first.atMs);
      const rates = { items: perSecond('items'), bytes: perSecond('bytes') };
      return progressParts(progress, rates).join(' · ');
    },
  };
}

function progressParts(
  { tally, bytesTotal, outstanding, notice }: ImportProgress,
  rates: { readonly items: number; readonly bytes: number },
): string[] {
  const left = bytesTotal === undefined ? 0 : bytesTotal - tally.bytesDone;
  const isTimeKnown = left > 0 && rates.bytes > 0;
  const refused = totalOf(tally.refused) + totalOf(tally.rejected);
  return [
    progressOf(tally, bytesTotal),
    `${formatCount(tally.fresh + tally.known)} accepted`,
    `${formatCount(Math.round(rates.items))}/s`,
    ...(outstanding > 0 ? [`${formatCount(outstanding)} to settle`] : []),
    ...(refused > 0 ? [`${formatCount(refused)} refused`] : []),
    ...(isTimeKnown ? [`${formatDuration((left / rates.bytes) * 1_000)} left`] : []),
    ...(notice === undefined ? [] : [`waiting: ${notice}`]),
  ];
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
  /** Of the known ones, those whose key was made of the file's name, the line's place and its text. */
  readonly taken: number;
  /** New in the run that it went on with. */
  readonly newBefore: number;
  /** It went on with a run of this very file that did not come to its end. */
  readonly resumed: boolean;
  /** An import of another file of this name was cut short, and its rest is not in this one. */
  readonly afterUnfinished: boolean;
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
  readonly earlier: EarlierTries | undefined;
  readonly isAfterAnother: boolean;
  readonly elapsedMs: number;
}

export function summarize({
  file,
  tally,
  refused,
  earlier,
  elapsedMs,
  ...ended
}: Ended): ImportSummary {
  const accepted = tally.fresh + tally.known;
  return {
    file,
    lines: tally.lines,
    new: tally.fresh,
    known: tally.known,
    taken: tally.taken + (earlier?.taken ?? 0),
    resumed: earlier !== undefined,
    newBefore: earlier?.fresh ?? 0,
    afterUnfinished: ended.isAfterAnother,
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

export function exitCodeOf(summary: ImportSummary): ExitCode {
  if (!isSuccess(summary)) return EXIT.failed;
  return isPartlyKnown(summary) ? EXIT.partlyKnown : EXIT.ok;
}

/** Some lines were new and others taken for an earlier file's, in this run or what it goes on with. */
function isPartlyKnown({ taken, newBefore, ...summary }: ImportSummary): boolean {
  return taken > 0 && summary.new + newBefore > 0;
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
  const { known, lines, taken, refusedFile } = summary;
  const isNothingNew = summary.new === 0 && known > 0 && known === lines;
  return [
    ...(lines === 0 ? ['nothing was imported: no operation stands in it'] : []),
    ...(isNothingNew
      ? [`nothing changed: all ${formatCount(known)} operations were already known`]
      : []),
    ...(isNothingNew && taken > 0 ? [`(${OTHER_NAME})`] : []),
    ...(isPartlyKnown(summary) ? takenLines(taken) : []),
    ...(summary.afterUnfinished ? [AFTER_ANOTHER] : []),
    ...(refusedFile === undefined ? [] : [`the lines that did not succeed are in ${refusedFile}`]),
  ];
}

const AFTER_ANOTHER =
  'ATTENTION: the import of an earlier file of this name was cut short; what it had left is not done';
const OTHER_NAME = 'a new file under the name of an earlier one needs a --key-prefix of its own';

function takenLines(taken: number): string[] {
  return [
    `ATTENTION: ${formatCount(taken)} lines stand in the same place of an earlier file of this name,`,
    'with the same text and no idempotencyKey: they were taken for those and NOT done again.',
    `That is right if this file was imported before and has changed since; ${OTHER_NAME}.`,
  ];
}
