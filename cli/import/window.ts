import { type Clock, systemClock } from '../../core/kernel/clock.ts';
import { CliError, EXIT } from '../exit.ts';
import { formatCount, formatDuration } from '../format.ts';

/** An accepted operation whose outcome is awaited. */
export interface Outstanding {
  readonly operationId: string;
  readonly line: number;
  readonly text: string;
}

export interface Settled {
  readonly id: string;
  readonly status: string;
  readonly error?: { readonly code: string; readonly detail?: string | undefined } | undefined;
}

/** Follows accepted operations to their outcome, a bounded number of them at a time. */
export interface SettlementWindow {
  readonly size: number;
  add(operation: Outstanding): void;
  /** Waits until there is room for that many more. */
  room(count: number): Promise<void>;
  /** Waits until nothing is outstanding. */
  drained(): Promise<void>;
}

interface WindowOptions {
  readonly idsMax: number;
  /** The texts of the lines are kept for the file of refused ones; this bounds them together. */
  readonly charsMax: number;
  /** Gives up when nothing settles for this long, although the server answers. */
  readonly stallMs: number;
  readonly signal: AbortSignal;
  /** The state of these operations; those that are still open may be left out. */
  readonly look: (ids: readonly string[]) => Promise<readonly Settled[]>;
  readonly onSettled: (operation: Outstanding, outcome: Settled) => void;
  readonly clock?: Pick<Clock, 'monotonicMs' | 'sleep'>;
}

/** `GET /v1/operations?ids=` takes this many. */
const LOOK_IDS_MAX = 200;
const PAUSE_MS = 100;
/** The oldest settle first, mostly; after this many looks at them in vain it is others' turn. */
const IDLE_LOOKS_MAX = 10;
/** Time in which the server was not asked does not count as a stall. */
const GAP_MS_MAX = 5_000;

export function createSettlementWindow(options: WindowOptions): SettlementWindow {
  const { idsMax, charsMax, signal, clock = systemClock } = options;
  /** Of one operation there may be several lines: those with the same key. */
  const waiting = new Map<string, readonly Outstanding[]>();
  let chars = 0;
  let following: Promise<void> | undefined;
  const broken: { failure?: { readonly error: unknown } } = {};
  let wake: () => void = () => undefined;

  const take = (outcomes: readonly Settled[]): number => {
    let settled = 0;
    for (const outcome of outcomes) {
      const lines = waiting.get(outcome.id);
      if (lines === undefined) continue;
      waiting.delete(outcome.id);
      settled += 1;
      for (const line of lines) {
        chars -= line.text.length;
        options.onSettled(line, outcome);
      }
    }
    return settled;
  };

  const follow = async (): Promise<void> => {
    let stalledMs = 0;
    let idleLooks = 0;
    let lookedMs = clock.monotonicMs();
    while (waiting.size > 0) {
      const ids = firstKeys(waiting, LOOK_IDS_MAX);
      const settled = take(await options.look(ids));
      idleLooks = settled > 0 ? 0 : idleLooks + 1;
      if (settled > 0 || idleLooks % IDLE_LOOKS_MAX === 0) sendToBack(waiting, ids);
      const nowMs = clock.monotonicMs();
      stalledMs = settled > 0 ? 0 : stalledMs + Math.min(GAP_MS_MAX, nowMs - lookedMs);
      lookedMs = nowMs;
      if (stalledMs > options.stallMs) throw stalled(waiting.size, stalledMs);
      wake();
      if (settled * 2 < ids.length) await clock.sleep(PAUSE_MS, signal);
      signal.throwIfAborted();
    }
  };

  /** Beside the sending of further lines; what goes wrong is told to the next one who waits. */
  const ensureFollowing = (): void => {
    following ??= follow()
      .catch((error: unknown) => {
        broken.failure = { error };
      })
      .finally(() => {
        following = undefined;
        wake();
      });
  };

  const throwIfBroken = (): void => {
    if (broken.failure !== undefined) throw broken.failure.error;
  };

  /** Resolves at the next news; throws when there can be none any more. */
  const news = async (): Promise<void> => {
    throwIfBroken();
    ensureFollowing();
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
    throwIfBroken();
  };

  return {
    get size() {
      return waiting.size;
    },
    add: (operation) => {
      const { operationId } = operation;
      waiting.set(operationId, [...(waiting.get(operationId) ?? []), operation]);
      chars += operation.text.length;
      if (broken.failure === undefined) ensureFollowing();
    },
    room: async (count) => {
      throwIfBroken();
      while (waiting.size > 0 && (waiting.size + count > idsMax || chars > charsMax)) await news();
    },
    drained: async () => {
      while (waiting.size > 0) await news();
    },
  };
}

function firstKeys(map: ReadonlyMap<string, unknown>, count: number): string[] {
  const keys: string[] = [];
  for (const key of map.keys()) {
    keys.push(key);
    if (keys.length >= count) break;
  }
  return keys;
}

/** So that those that take their time do not keep the others from being asked for. */
function sendToBack<T>(map: Map<string, T>, ids: readonly string[]): void {
  for (const id of ids) {
    const operation = map.get(id);
    if (operation === undefined) continue;
    map.delete(id);
    map.set(id, operation);
  }
}

function stalled(count: number, stalledMs: number): CliError {
  const what = `${formatCount(count)} accepted operations are not settled yet`;
  const since = `nothing has settled for ${formatDuration(stalledMs)}`;
  return new CliError(`${what}, and ${since}. Is a worker running?`, EXIT.gaveUp);
}
