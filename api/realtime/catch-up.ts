import { LIMITS } from '../../config/limits.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { STREAM_START, comparePositions } from '../../core/kernel/stream-position.ts';
import type { Logger } from '../../core/telemetry/logger.ts';
import type { Metrics } from '../../core/telemetry/metrics.ts';
import type { EventTail, StreamEvent } from '../../core/events/stream-tail.ts';
import type { Feed } from './feed.ts';
import { createHistory } from './history.ts';
import { createGate, createPace } from './pace.ts';
import { type Batch, type CloseReason, type Viewer, createBatch } from './viewer.ts';

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
  const history = createHistory(tail);
  const ask = createGate(LIMITS.streamCatchUpsMax);
  const pace = createPace({ clock, sliceMs: LIMITS.streamCatchUpSliceMs, stopping });

  /** Asks until Redis answers; undefined: the viewer has gone meanwhile. */
  const patiently = async <T>(isHere: () => boolean, question: () => Promise<T>) => {
    while (isHere()) {
      try {
        return { answer: await question() };
      } catch (err) {
        logger.debug({ err }, 'realtime.history.failed');
        await clock.sleep(LIMITS.streamPauseMs, stopping);
      }
    }
    return undefined;
  };

  /** `batch`: what the filter lets through; what the viewer has seen of it is left out. */
  const send = (viewer: Viewer, batch: Batch, { from, unseen }: Place): void => {
    const { events, position } = batch;
    const wanted = events.filter(
      (event) => comparePositions(event.position, from) > 0 && unseen(event),
    );
    if (wanted.length === 0) return;
    viewer.send(wanted.length === events.length ? batch : createBatch(wanted, position));
    metrics.realtimeSent.inc({ transport: viewer.transport }, wanted.length);
  };

  const begin = async (feed: Feed, viewer: Viewer, asked: string) => {
    const isHere = (): boolean => feed.viewers.has(viewer);
    metrics.realtimeResumes.inc({ transport: viewer.transport });
    const start = feed.isRecent(asked)
      ? { answer: { from: asked, hasGap: false } }
      : await patiently(isHere, () => ask(() => startOf(deps, feed, asked)));
    if (start === undefined) return undefined;
    const { from, hasGap } = start.answer;
    viewer.begin({ position: asked, isResumed: !hasGap });
    if (hasGap) tellGap(metrics, viewer, asked);
    return from;
  };

  /** Sends the next page of history; gives how far it went, undefined when the viewer has gone. */
  const turnPage = async (feed: Feed, viewer: Viewer, place: Place) => {
    const isHere = (): boolean => feed.viewers.has(viewer);
    const read = await patiently(isHere, () => history.page(feed, place.from));
    if (read === undefined || !isHere()) return undefined;
    const page = read.answer;
    if (page === undefined) return { last: undefined };
    await pace(() => {
      if (isHere()) send(viewer, page.batchOf(viewer.filter), place);
    });
    if (!(await viewer.drained())) drop(viewer, 'slow');
    return { last: page.last };
  };

  /** In one breath: what was read lately and the place in the group. False: it is not as far yet. */
  const goLive = (feed: Feed, viewer: Viewer, place: Place): boolean => {
    const upTo = feed.joinAt(viewer);
    const isHere = feed.viewers.has(viewer) && feed.restarts() === place.restarts;
    if (!isHere || comparePositions(place.from, upTo) > 0) return false;
    const recent = feed.recent(place.from, upTo);
    if (recent === undefined) return false;
    const wanted = recent.filter((event) => viewer.filter.matches(event));
    send(viewer, createBatch(wanted, upTo), place);
    enter(feed, viewer);
    return true;
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
      const place: Place = { from, unseen, restarts };
      if (await pace(() => goLive(feed, viewer, place))) return;
      const upTo = feed.joinAt(viewer);
      if (comparePositions(from, upTo) > 0) {
        await clock.sleep(LOOK_AGAIN_MS, stopping); // its group has yet to come as far
        continue;
      }
      const page = await turnPage(feed, viewer, place);
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
  readonly restarts: number;
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
