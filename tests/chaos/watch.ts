import { setTimeout as sleep } from 'node:timers/promises';
import type { HistoryEvent } from './checker/evidence.ts';
import type { Reader } from './evidence/reader.ts';

/** Looks for what was lost while a run goes on, so that it need not go on for nothing. */
export interface Watch {
  /** When the first one was known to be lost, and which. */
  found(): { readonly atMs: number; readonly id: string } | undefined;
  stop(): Promise<void>;
}

const EVERY_MS = 2_000;
/** A member that is cut off, or behind, knows of nothing new for so long. */
const MISSING_MS = 20_000;
/** A snapshot may be a little older than the answer. */
const AGE_MS = 1_500;

export function watchForLost(
  history: { readonly events: readonly HistoryEvent[] },
  reader: Reader,
  options: { readonly nowMs: () => number; readonly onFound: () => void },
): Watch {
  const { nowMs, onFound } = options;
  let seen = 0;
  let isOver = false;
  let waiting: string[] = [];
  /** Since when nobody knows of it. */
  const missing = new Map<string, number>();
  let found: { atMs: number; id: string } | undefined;

  const look = async (): Promise<void> => {
    for (; seen < history.events.length; seen += 1) {
      const event = history.events[seen];
      if (event === undefined || event.atMs > nowMs() - AGE_MS) break;
      if (event.kind === 'answered') waiting.push(event.id);
    }
    if (waiting.length === 0) return;
    const rows = await reader.snapshot((read) =>
      read.find('operations', { _id: { $in: waiting } }, { _id: 1 }),
    );
    const stored = new Set(rows.map(({ _id }) => String(_id)));
    waiting = waiting.filter((id) => !stored.has(id));
    for (const id of waiting) if (!missing.has(id)) missing.set(id, nowMs());
    const lost = waiting.find((id) => nowMs() - (missing.get(id) ?? nowMs()) > MISSING_MS);
    if (lost === undefined || found !== undefined) return;
    found = { atMs: nowMs(), id: lost };
    onFound();
  };
  const run = async (): Promise<void> => {
    while (!isOver) {
      await look().catch(() => undefined); // nobody could be asked: the next look will
      await sleep(EVERY_MS);
    }
  };
  const running = run();
  return Object.freeze({
    found: () => found,
    stop: async () => {
      isOver = true;
      await running;
    },
  });
}
