import { LIMITS } from '../../config/limits.ts';
import { startTicker } from '../../core/kernel/clock.ts';
import { AppError } from '../../core/kernel/errors.ts';
import { STREAM_START } from '../../core/kernel/stream-position.ts';
import { supervise } from '../../core/kernel/supervise.ts';
import type { StreamPage } from '../../core/events/stream-tail.ts';
import { type HubDeps, createCatchUp, tellGap } from './catch-up.ts';
import { type Feed, type Group, createFeed } from './feed.ts';
import { type Batch, type CloseReason, type Viewer, createBatch } from './viewer.ts';

/**
 * The events of every tenant with clients here, read once for all of them and fanned out in this
 * process. Clients stay while Redis is away, and get what they missed when it is back.
 */
export interface Hub {
  /** @throws AppError when clients have to go elsewhere. */
  admit(): void;
  /** From here on the hub calls the viewer, until it leaves or is closed. */
  join(viewer: Viewer): void;
  /** It has gone by itself. */
  leave(viewer: Viewer): void;
  drop(viewer: Viewer, reason: CloseReason): void;
  /** How far a viewer is that has caught up. */
  positionOf(viewer: Viewer): string | undefined;
  close(): Promise<void>;
}

export function createHub(deps: HubDeps): Hub {
  const { tail, clock, logger, metrics } = deps;
  const feeds = new Map<string, Feed>();
  const stopping = new AbortController();
  let mustVerify = false;
  let verified = 0;
  let wakeReader: () => void = () => undefined;

  const leave = (viewer: Viewer): void => {
    const feed = feeds.get(viewer.tenantId);
    if (feed?.viewers.has(viewer) !== true) return;
    feed.leave(viewer);
    metrics.realtimeClients.dec({ transport: viewer.transport });
    if (feed.viewers.size === 0) feeds.delete(viewer.tenantId);
  };
  const drop = (viewer: Viewer, reason: CloseReason): void => {
    if (feeds.get(viewer.tenantId)?.viewers.has(viewer) !== true) return;
    leave(viewer);
    metrics.realtimeClosed.inc({ transport: viewer.transport, reason });
    viewer.close(reason);
  };
  const catchUp = createCatchUp({ ...deps, drop, stopping: stopping.signal });
  const fanOut = createFanOut({ ...deps, drop });
  const interruptRead = (): void => {
    wakeReader();
    tail.wake();
  };

  /** Finds the end of the streams that are new here. */
  const find = async (): Promise<void> => {
    for (const feed of feeds.values()) {
      if (feed.position() === undefined) feed.restart(await tail.end(feed.tenantId));
    }
  };
  /** Where we stand may be gone: Redis was emptied, or more came than it keeps. */
  const verify = async (positions: ReadonlyMap<string, string>): Promise<void> => {
    if (positions.size === 0) return;
    for (const tenantId of await tail.missing(positions)) {
      const feed = feeds.get(tenantId);
      const lost = feed?.position();
      if (feed === undefined || lost === undefined || lost === STREAM_START) continue;
      const first = await tail.page(tenantId, STREAM_START);
      feed.restart(first === undefined ? await tail.end(tenantId) : STREAM_START);
      logger.warn({ tenantId, lost }, 'realtime.gap');
      for (const viewer of feed.viewers) tellGap(metrics, viewer, lost);
    }
  };
  const turn = async (): Promise<void> => {
    await find();
    const connection = tail.connections();
    if (mustVerify || connection !== verified) await verify(positionsOf(feeds));
    mustVerify = false;
    verified = connection;
    const positions = positionsOf(feeds);
    const pages = await tail.read(positions);
    const moved = [...positions].filter(([tenantId]) => pages.has(tenantId));
    await verify(new Map(moved)); // nothing may be missing between where we stood and this
    for (const [tenantId, page] of pages) {
      const feed = feeds.get(tenantId);
      if (feed === undefined) continue;
      // Started again meanwhile: read once more, from there.
      if (feed.position() === positions.get(tenantId)) await fanOut(feed, page);
    }
  };
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      if (feeds.size === 0) {
        await new Promise<void>((resolve) => {
          wakeReader = resolve;
        });
        continue;
      }
      try {
        await turn();
      } catch (err) {
        mustVerify = true;
        logger.debug({ err }, 'realtime.read.failed');
        await clock.sleep(LIMITS.streamPauseMs, stopping.signal);
      }
    }
  };
  const reading = run();
  const heart = startTicker({
    intervalMs: LIMITS.streamHeartbeatMs,
    clock,
    run: async () => {
      mustVerify = true;
      for (const feed of feeds.values()) beat(feed);
    },
    onError: (err) => {
      logger.error({ err }, 'realtime.heartbeat.failed');
    },
  });

  return Object.freeze({
    admit: () => {
      if (stopping.signal.aborted) {
        throw new AppError('shutting_down', 'Connect again: another process will answer');
      }
    },
    join: (viewer: Viewer) => {
      const known = feeds.get(viewer.tenantId);
      const feed = known ?? createFeed(viewer.tenantId);
      feeds.set(viewer.tenantId, feed);
      feed.viewers.add(viewer);
      metrics.realtimeClients.inc({ transport: viewer.transport });
      if (known === undefined) interruptRead();
      supervise(catchUp(feed, viewer), (err) => {
        logger.error({ err }, 'realtime.client.failed');
        drop(viewer, 'slow');
      });
    },
    leave,
    drop,
    positionOf: (viewer: Viewer) => feeds.get(viewer.tenantId)?.positionOf(viewer),
    close: async () => {
      stopping.abort();
      for (const feed of [...feeds.values()]) {
        for (const viewer of [...feed.viewers]) drop(viewer, 'shutdown');
      }
      interruptRead();
      await Promise.all([reading, heart.stop()]);
    },
  } satisfies Hub);
}

function positionsOf(feeds: ReadonlyMap<string, Feed>): ReadonlyMap<string, string> {
  const positions = new Map<string, string>();
  for (const [tenantId, feed] of feeds) {
    const position = feed.position();
    if (position !== undefined) positions.set(tenantId, position);
  }
  return positions;
}

function beat(feed: Feed): void {
  const inGroups = new Set<Viewer>();
  for (const { members, position } of feed.groups.values()) {
    for (const viewer of members) {
      inGroups.add(viewer);
      viewer.beat(position);
    }
  }
  for (const viewer of feed.viewers) if (!inGroups.has(viewer)) viewer.beat(undefined);
}

interface FanOutDeps extends Pick<HubDeps, 'clock' | 'metrics'> {
  readonly drop: Hub['drop'];
}

/** Hands a page to the groups of a feed, a slice of clients at a time. */
function createFanOut({ clock, metrics, drop }: FanOutDeps) {
  let written = 0;
  const give = async (group: Group, batch: Batch): Promise<void> => {
    const { key, members } = group;
    // Before it is written to: what a client has not read of earlier batches is what counts.
    for (const viewer of members) if (viewer.isFull()) drop(viewer, 'slow');
    const [first] = members;
    if (first?.cast !== undefined) {
      first.cast.send(key, batch);
      metrics.realtimeSent.inc({ transport: first.transport }, batch.events.length * members.size);
      group.position = batch.position;
      return;
    }
    for (const viewer of members) {
      viewer.send(batch);
      metrics.realtimeSent.inc({ transport: viewer.transport }, batch.events.length);
      written += 1;
      // Requests get their turn. Who enters meanwhile is reached by this loop.
      if (written % LIMITS.streamSliceClients === 0) await clock.sleep(0);
    }
    group.position = batch.position; // in the same breath as the end of the loop
  };
  return async (feed: Feed, page: StreamPage): Promise<void> => {
    const fresh = feed.take(page);
    for (const group of [...feed.groups.values()]) {
      const events = fresh.filter((event) => group.filter.matches(event));
      if (events.length === 0) group.position = page.last;
      else await give(group, createBatch(events, page.last));
    }
    const last = fresh.at(-1)?.position;
    if (last !== undefined) {
      const appendedMs = Number(last.slice(0, last.indexOf('-')));
      metrics.realtimeDelay.observe(Math.max(0, clock.now() - appendedMs) / 1_000);
    }
  };
}
