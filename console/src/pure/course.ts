import type { Operation, Step } from '../types.ts';

/** A stretch of time in per cent of the whole: where it begins and how long it is. */
export interface Bar {
  readonly from: number;
  readonly length: number;
  readonly kind: 'done' | 'undone';
}

export interface Row {
  readonly name: string;
  readonly status: string;
  readonly note: string;
  readonly ms: number;
  readonly bars: readonly Bar[];
}

/** However short, it has to be seen. */
const LENGTH_MIN = 0.8;

interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

const msOf = (at: string): number => new Date(at).getTime();

function barOf({ startMs, endMs }: Span, all: Span, kind: Bar['kind']): Bar {
  const whole = all.endMs - all.startMs;
  if (whole <= 0) return { from: 0, length: 100, kind };
  const length = Math.max(LENGTH_MIN, ((endMs - startMs) / whole) * 100);
  const from = Math.min(((startMs - all.startMs) / whole) * 100, 100 - length);
  return { from: Math.max(0, from), length: Math.min(length, 100), kind };
}

/** An operation as bars over its time: its wait for a first step, then each step and its undoing. */
export function courseOf(operation: Operation, nowMs: number): readonly Row[] {
  const { steps = [], createdAt, completedAt, status } = operation;
  const startMs = msOf(createdAt);
  const ends = [startMs, ...steps.flatMap(timesOf), ...(completedAt ? [msOf(completedAt)] : [])];
  const isOver = completedAt !== undefined || status === 'needs_attention';
  const all = { startMs, endMs: isOver ? Math.max(...ends) : Math.max(nowMs, ...ends) };
  if (steps.length === 0) {
    const ended = completedAt === undefined ? 'parked' : 'in one go';
    const note = isOver ? ended : 'waits for its turn';
    const bars = [barOf(all, all, 'done')];
    return [{ name: 'settlement', status, note, ms: all.endMs - startMs, bars }];
  }
  return steps.map((step) => rowOf(step, all));
}

function timesOf({ startedAt, finishedAt, undoneAt }: Step): readonly number[] {
  return [startedAt, finishedAt, undoneAt].flatMap((at) => (at === undefined ? [] : [msOf(at)]));
}

function rowOf(step: Step, all: Span): Row {
  const { name, startedAt, finishedAt, undoneAt, undoAttempt } = step;
  const startMs = msOf(startedAt);
  const endMs = finishedAt === undefined ? all.endMs : msOf(finishedAt);
  const own = barOf({ startMs, endMs }, all, 'done');
  const undoMs = undoneAt === undefined ? all.endMs : msOf(undoneAt);
  const undo =
    undoAttempt === undefined ? [] : [barOf({ startMs: endMs, endMs: undoMs }, all, 'undone')];
  return {
    name,
    status: undoneAt === undefined ? step.status : 'undone',
    note: noteOf(step),
    ms: endMs - startMs,
    bars: [own, ...undo],
  };
}

function noteOf({ attempt, error, undoAttempt, retryAt }: Step): string {
  return [
    ...(attempt > 1 ? [`attempt ${String(attempt)}`] : []),
    ...(error === undefined ? [] : [error.code]),
    ...(retryAt === undefined ? [] : ['will be tried again']),
    ...(undoAttempt === undefined ? [] : [`taken back at attempt ${String(undoAttempt)}`]),
  ].join(' · ');
}
