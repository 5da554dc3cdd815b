import { LIMITS } from '../../config/limits.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { STREAM_START, comparePositions } from '../../core/kernel/stream-position.ts';
import type { Logger } from '../../core/telemetry/logger.ts';
import type { Metrics } from '../../core/telemetry/metrics.ts';
import type { EventTail, StreamEvent, StreamPage } from '../../queues/event-tail.ts';
import type { Feed } from './feed.ts';
import { type CloseReason, type Viewer, createBatch } from './viewer.ts';

export interface HubDeps {
  readonly tail: EventTail;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

interface CatchUpDeps extends HubDeps {
  readonly drop: (viewer: Viewer, reason: CloseReason) => void;
  readonly stopping: AbortSignal;
}

const LOOK_AGAIN_MS = 20;

/**
 * Brings a viewer to where its group is and puts it in, so that it misses nothing and gets nothing
 * twice: history by pages from Redis, then what this process has read lately, then live.
 */
export function createCatchUp(deps: CatchUpDeps) {
  const { tail, clock, logger, metrics, drop, stopping } = deps;
  const gate = createGate(LIMITS.streamCatchUpsMax);

  /** Asks until Redis answers; undefined: the viewer has gone meanwhile. */
  const patiently = async <T>(isHere: () => boolean, ask: () => Promise<T>) => {
    while (isHere()) {
      try {
        return { answer: await gate(ask) };
      } catch (err) {
        logger.debug({ err }, 'realtime.history.failed');
        await clock.sleep(LIMITS.streamPauseMs, stopping);
      }
    }
    return undefined;
  };

  const send = (feed: Feed, viewer: Viewer, { events, last }: StreamPage): void => {
    for (const event of events) feed.note(event);
    const wanted = events.filter((event) => viewer.filter.matches(event));
    if (wanted.length === 0) return;
    viewer.send(createBatch(wanted, last));
    metrics.realtimeSent.inc({ transport: viewer.transport }, wanted.length);
  };

  const begin = async (feed: Feed, viewer: Viewer, asked: string) => {
    const isHere = (): boolean => feed.viewers.has(viewer);
    metrics.realtimeResumes.inc({ transport: viewer.transport });
    const start = feed.isRecent(asked)
      ? { answer: { from: asked, hasGap: false } }
      : await patiently(isHere, () => startOf(deps, feed, asked));
    if (start === undefined) return undefined;
    const { from, hasGap } = start.answer;
    viewer.begin({ position: asked, isResumed: !hasGap });
    if (hasGap) tellGap(metrics, viewer, asked);
    return from;
  };

  /** Sends the next page of history; gives how far it went, undefined when the viewer has gone. */
  const turnPage = async (feed: Feed, viewer: Viewer, { from, unseen }: Place) => {
    const isHere = (): boolean => feed.viewers.has(viewer);
    const read = await patiently(isHere, () => tail.page(feed.tenantId, from));
    if (read === undefined || !isHere()) return undefined;
    const page = read.answer;
    if (page === undefined) return { last: undefined };
    send(feed, viewer, { ...page, events: page.events.filter(unseen) });
    if (!(await viewer.drained())) drop(viewer, 'slow');
    return { last: page.last };
  };

  const resume = async (feed: Feed, viewer: Viewer, asked: string): Promise<void> => {
    const seen = new Set<string>();
    const unseen = ({ id }: StreamEvent): boolean => !seen.has(id) && seen.add(id).size > 0;
    let restarts = feed.restarts();
    let from = await begin(feed, viewer, asked);
    while (from !== undefined && feed.viewers.has(viewer) && !stopping.aborted) {
      if (feed.restarts() !== restarts) {
        restarts = feed.restarts();
        from = STREAM_START; // another stream, all of it news
      }
      const upTo = feed.joinAt(viewer);
      if (comparePositions(from, upTo) > 0) {
        await clock.sleep(LOOK_AGAIN_MS, stopping); // its group has yet to come as far
        continue;
      }
      const recent = feed.recent(from, upTo);
      if (recent !== undefined) {
        send(feed, viewer, { events: recent.filter(unseen), last: upTo });
        enter(feed, viewer);
        return;
      }
      const page = await turnPage(feed, viewer, { from, unseen });
      from = page === undefined ? undefined : (page.last ?? upTo);
    }
  };

  return async (feed: Feed, viewer: Viewer): Promise<void> => {
    await feed.found;
    if (!feed.viewers.has(viewer)) return;
    if (viewer.after !== undefined) return resume(feed, viewer, viewer.after);
    viewer.begin({ position: feed.joinAt(viewer), isResumed: false });
    enter(feed, viewer);
  };
}

interface Place {
  readonly from: string;
  readonly unseen: (event: StreamEvent) => boolean;
}

function enter(feed: Feed, viewer: Viewer): void {
  const group = feed.enter(viewer);
  viewer.cast?.enter(group.key);
}

export function tellGap(metrics: Metrics, viewer: Viewer, asked: string): void {
  metrics.realtimeGaps.inc({ transport: viewer.transport });
  viewer.gap(asked);
}

/** Where to go on from what a client asked for, and whether all that came after it is there. */
async function startOf({ tail }: HubDeps, feed: Feed, asked: string) {
  if (asked === STREAM_START) return { from: STREAM_START, hasGap: false };
  const missing = await tail.missing(new Map([[feed.tenantId, asked]]));
  if (missing.length === 0) return { from: asked, hasGap: false };
  const end = await tail.end(feed.tenantId);
  // Beyond the end: from before the stream was lost. Everything in it now is news.
  return { from: comparePositions(asked, end) > 0 ? STREAM_START : asked, hasGap: true };
}

/** Lets so many run at once; the others wait their turn. */
function createGate(max: number) {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= max) {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
      });
    }
    running += 1;
    try {
      return await work();
    } finally {
      running -= 1;
      waiting.shift()?.();
    }
  };
}
