import { LIMITS } from '../../config/limits.ts';
import type { OperationDoc } from './operation.ts';
import type { StepRecord, TurnBack } from './step-record.ts';

/**
 * The line of an ordering key, beside the lanes. A stepwise operation stands in it from its
 * acceptance until it has posted to the ledger, has ended, or waits for a person; what is younger
 * waits. All waiting is for something with a smaller stamp, so that it ends. Pure.
 */
export type Place = Pick<
  OperationDoc,
  '_id' | 'orderingKey' | 'stamp' | 'status' | 'lane' | 'lineUntil' | 'nextCheckAt' | 'pausedBy'
>;

/** What is to be done about a line. */
export interface Turn {
  /** Their turn has come. */
  readonly letIn: readonly Place[];
  /** Its turn has come unless something older is still in its lane. */
  readonly candidate?: Place;
  /** The first that goes on waiting: somebody has to look at it again by itself. */
  readonly next?: Place;
  /** When whoever holds the line loses it. */
  readonly until?: Date;
}

/** It waits for its turn: a stepwise operation that has not begun, or an atomic one behind such a one. */
export function waitsInLine(
  operation: Pick<OperationDoc, 'status' | 'line' | 'lineUntil'>,
): boolean {
  const { status, line, lineUntil } = operation;
  return status === 'waiting' && line !== undefined && lineUntil === undefined;
}

/**
 * What dead workers and lost jobs cost is not taken from a line's patience, which is for what hangs: whoever
 * still holds the line when somebody takes over, or lets it in again, holds it for as long anew. Otherwise
 * two deaths in a row would let the younger ones pass, and be decided without what they live on.
 */
export function heldAnew(
  { lineUntil }: Pick<OperationDoc, 'lineUntil'>,
  now: Date,
): Pick<OperationDoc, 'lineUntil'> {
  if (lineUntil === undefined || lineUntil <= now) return {};
  return { lineUntil: new Date(now.getTime() + LIMITS.lineHoldMs) };
}

/** What waits because of a pause that is in force: it and all behind it stay where they are. */
type IsPaused = (pause: string) => boolean;

/** Whose turn it is, given everything that stands in a line, oldest first. */
export function turnIn(
  places: readonly Place[],
  now: Date,
  { runMax, isPaused = () => false }: { readonly runMax: number; readonly isPaused?: IsPaused },
): Turn {
  const held = places.filter(({ lineUntil }) => lineUntil === undefined || lineUntil > now);
  const wall = held.findIndex(
    (place) => isParked(place) && place.pausedBy !== undefined && isPaused(place.pausedBy),
  );
  const standing = wall === -1 ? held : held.slice(0, wall);
  const run = leadingRun(standing, runMax);
  const letIn = run.filter(isParked);
  const head = standing[run.length];
  if (head === undefined) return { letIn };
  const next = standing.slice(run.length).find(isParked);
  const isFirst = run.length === 0 && head.lane === undefined && isParked(head);
  return {
    letIn,
    ...(isFirst && { candidate: head }),
    ...(next !== undefined && { next }),
    ...(head.lineUntil !== undefined && { until: head.lineUntil }),
  };
}

/** The atomic operations before the first stepwise one, up to so many that still wait. */
function leadingRun(standing: readonly Place[], runMax: number): readonly Place[] {
  let parked = 0;
  const end = standing.findIndex((place) => {
    if (isParked(place)) parked += 1;
    return place.lane === undefined || parked > runMax;
  });
  return end === -1 ? standing : standing.slice(0, end);
}

function isParked({ status, lineUntil }: Place): boolean {
  return status === 'waiting' && lineUntil === undefined;
}

/** What a journal write says of an operation. */
interface Standing extends Pick<OperationDoc, 'status'> {
  readonly lease: 'keep' | 'release' | 'wait' | 'end';
  readonly state: {
    readonly turnBack?: TurnBack;
    readonly steps: readonly Pick<StepRecord, 'status'>[];
  };
}

/**
 * Whether a journal write gives the line up: the operation has posted, or will not; or it waits for
 * a person, who may take days.
 */
export function leavesLine({ state, status, lease }: Standing, hasPosted: boolean): boolean {
  return (
    hasPosted ||
    lease === 'end' ||
    status === 'compensating' ||
    state.turnBack !== undefined ||
    state.steps.some((step) => step.status === 'waiting')
  );
}
