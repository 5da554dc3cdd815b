import { LIMITS } from '../../../config/limits.ts';
import type { Clock } from '../../kernel/clock.ts';

/** Of the calls under way to one host: how many there may be, and who shares a pool with it. */
export interface SlotRequest {
  readonly key: string;
  readonly channel: string;
  /** Asked anew at every turn: it grows and shrinks with what the calls come to. */
  readonly room: () => number;
  /** Between two turns at the least: the rate that the channel is held to. */
  readonly paceMsMin: number;
  /** After this (monotonic) nobody waits any longer. */
  readonly deadlineMs: number;
  /** Has had its turn already: before the others. */
  readonly isFirst: boolean;
}

export type SlotTurn =
  | { readonly kind: 'turn' }
  /** No place within its time: to be put back, and to come again after that. */
  | { readonly kind: 'busy'; readonly waitMs: number };

/**
 * Slots at hosts, each host with a line of its own. Who finds no place waits in the line, so that
 * its job is looked at once. A line is no longer than what gets its turn in time, and short enough
 * not to take up a pool. What exceeds it is put back, by the pace at which the line moves.
 */
export interface Slots {
  take(request: SlotRequest): Promise<SlotTurn>;
  /** A turn has led to a call; in a slowed line it is the next one's turn. */
  proceed(key: string): void;
  /** Of whoever had a turn. */
  giveBack(key: string): void;
  /** Nobody's turn for so long, and then one at a time, as long as the line lasts. */
  slow(key: string, ms: number): void;
  /** Who waits on a channel or has a turn, and how many get theirs within that time. */
  standing(channel: string, withinMs: number): Standing;
  /** Forgets lines that nobody has stood in lately. */
  tidy(): void;
}

export interface Standing {
  readonly all: number;
  readonly soon: number;
}

interface Waiting {
  readonly request: SlotRequest;
  readonly decide: (turn: SlotTurn) => void;
  isDecided: boolean;
}

interface Line {
  readonly channel: string;
  taken: number;
  readonly waiting: Waiting[];
  /** Between two turns while somebody waits, smoothed. */
  paceMs: number;
  turnMs: number;
  /** Somebody has been waiting since the last turn: the next one says something about the pace. */
  isTimed: boolean;
  /** Put back, and not yet come again. */
  away: number;
  slowedUntilMs: number;
  isSlowed: boolean;
  /** Slowed: somebody has the turn and has not called yet. */
  isAsking: boolean;
}

const FIRST_PACE_MS = 2;
const SMOOTHING = 0.05;
const PACE_MS_MIN = 0.01;
const STUCK_AFTER_MS = 200;
/** Fetching more for others meanwhile harms nobody. */
const SEEMS_STUCK_AFTER_MS = 20;

interface SlotsDeps {
  readonly clock: Pick<Clock, 'monotonicMs' | 'after'>;
  readonly random: () => number;
  /** Who may wait in one line, and in all of a channel. */
  readonly lineMax?: () => number;
  readonly linesMax?: () => number;
}

export function createSlots(deps: SlotsDeps): Slots {
  const { clock, random } = deps;
  const { lineMax = () => LIMITS.deliveryLineMax } = deps;
  const { linesMax = () => LIMITS.deliveryLinesMax } = deps;
  const lines = new Map<string, Line>();
  const waitingOn = new Map<string, number>();

  const lineOf = (key: string, channel = ''): Line => {
    const known = lines.get(key);
    if (known !== undefined) return known;
    const fresh = newLine(channel);
    lines.set(key, fresh);
    return fresh;
  };
  const decide = (one: Waiting, turn: SlotTurn): void => {
    one.isDecided = true;
    const { channel } = one.request;
    waitingOn.set(channel, (waitingOn.get(channel) ?? 1) - 1);
    one.decide(turn);
  };
  const putBack = (line: Line, request: SlotRequest): SlotTurn => {
    const ms = backoffMs(line, paceOf(line, request, clock.monotonicMs()));
    const max = LIMITS.deliveryPutBackMsMax;
    const waitMs = ms > max ? Math.ceil(max * random()) : ms; // else they came all together
    line.away += 1;
    clock.after(waitMs, () => {
      line.away -= 1;
    });
    return { kind: 'busy', waitMs };
  };
  const pump = (line: Line): void => {
    for (let first = line.waiting[0]; first !== undefined; first = line.waiting[0]) {
      if (!isFree(line, first.request, clock.monotonicMs())) return;
      line.waiting.shift();
      occupy(line, clock.monotonicMs());
      line.isTimed = line.waiting.length > 0;
      decide(first, { kind: 'turn' });
    }
    line.isSlowed = line.isAsking;
  };
  const isFull = (line: Line, request: SlotRequest, leftMs: number): boolean =>
    line.waiting.length >= lineMax() ||
    (waitingOn.get(request.channel) ?? 0) >= linesMax() ||
    (line.waiting.length + 1) * paceOf(line, request, clock.monotonicMs()) > leftMs;
  const wait = async (line: Line, request: SlotRequest): Promise<SlotTurn> =>
    new Promise((resolve) => {
      const one: Waiting = { request, decide: resolve, isDecided: false };
      if (request.isFirst) line.waiting.unshift(one);
      else line.waiting.push(one);
      waitingOn.set(request.channel, (waitingOn.get(request.channel) ?? 0) + 1);
      clock.after(request.deadlineMs - clock.monotonicMs(), () => {
        if (one.isDecided) return;
        line.waiting.splice(line.waiting.indexOf(one), 1);
        decide(one, putBack(line, request));
      });
    });

  return Object.freeze({
    take: async (request: SlotRequest): Promise<SlotTurn> => {
      const line = lineOf(request.key, request.channel);
      const nowMs = clock.monotonicMs();
      if (line.waiting.length === 0 && isFree(line, request, nowMs)) {
        occupy(line, nowMs);
        return { kind: 'turn' };
      }
      const leftMs = request.deadlineMs - nowMs;
      const hasRoom = request.isFirst || !isFull(line, request, leftMs);
      if (leftMs <= 0 || !hasRoom) return putBack(line, request);
      return wait(line, request);
    },
    proceed: (key: string) => {
      const line = lineOf(key);
      line.isAsking = false;
      pump(line);
    },
    giveBack: (key: string) => {
      const line = lineOf(key);
      line.taken = Math.max(0, line.taken - 1);
      pump(line);
    },
    slow: (key: string, ms: number) => {
      const line = lineOf(key);
      line.isSlowed = true;
      line.isAsking = false;
      const untilMs = clock.monotonicMs() + ms;
      line.slowedUntilMs = untilMs;
      clock.after(ms, () => {
        // The timer decides: it may be a fraction of a millisecond early.
        if (line.slowedUntilMs === untilMs) line.slowedUntilMs = 0;
        pump(line);
      });
    },
    standing: (channel: string, withinMs: number) => {
      const nowMs = clock.monotonicMs();
      let soon = 0;
      let all = 0;
      for (const line of lines.values()) {
        if (line.channel !== channel) continue;
        const { waiting, taken } = line;
        const paceMs = Math.max(
          line.paceMs,
          stuckMsOf(line, nowMs, SEEMS_STUCK_AFTER_MS),
          PACE_MS_MIN,
        );
        all += waiting.length + taken;
        soon += Math.min(waiting.length, withinMs / paceMs);
      }
      return { all, soon };
    },
    tidy: () => {
      for (const [key, { taken, waiting, away }] of lines) {
        if (taken + waiting.length + away === 0) lines.delete(key);
      }
    },
  });
}

function newLine(channel: string): Line {
  return {
    channel,
    ...{ taken: 0, waiting: [], paceMs: FIRST_PACE_MS, turnMs: 0, away: 0 },
    ...{ slowedUntilMs: 0, isSlowed: false, isAsking: false, isTimed: false },
  };
}

function isFree(line: Line, { room }: SlotRequest, nowMs: number): boolean {
  if (line.taken >= room() || nowMs < line.slowedUntilMs) return false;
  return !(line.isSlowed && line.isAsking);
}

function occupy(line: Line, nowMs: number): void {
  line.taken += 1;
  line.isAsking = line.isSlowed;
  if (line.isTimed) line.paceMs += SMOOTHING * (nowMs - line.turnMs - line.paceMs);
  line.isTimed = false;
  line.turnMs = nowMs;
}

/**
 * Where no call has come back for a while, it cannot go faster than that. Not at once: the first calls to a
 * host, which are few, say nothing yet, and whoever came with them would be put back for seconds.
 */
function stuckMsOf({ taken, turnMs }: Line, nowMs: number, afterMs = STUCK_AFTER_MS): number {
  const silentMs = nowMs - turnMs - afterMs;
  return taken === 0 || silentMs < 0 ? 0 : silentMs / taken;
}

function paceOf(line: Line, request: SlotRequest, nowMs: number): number {
  return Math.max(line.paceMs, request.paceMsMin, stuckMsOf(line, nowMs));
}

/**
 * For half of what it will take until its turn: it is looked at about as often as the number of
 * those before it can be halved, and a pace that was guessed too slow does not leave places empty.
 */
function backoffMs({ waiting, away }: Line, paceMs: number): number {
  const ms = Math.ceil((paceMs * (waiting.length + away)) / 2);
  return Math.max(LIMITS.deliveryPutBackMs, ms);
}
