import { LIMITS } from '../../config/limits.ts';
import { STREAM_END, STREAM_START, comparePositions } from '../../core/kernel/stream-position.ts';
import type { StreamEvent, StreamPage } from '../../core/events/stream-tail.ts';
import type { EventFilter } from './filter.ts';
import type { Viewer } from './viewer.ts';

/** Clients that get the same: same transport, same filter. */
export interface Group {
  readonly key: string;
  readonly filter: EventFilter;
  readonly members: Set<Viewer>;
  /** What all of its members have got. */
  position: string;
}

/** What this process knows of the stream of one tenant, and who follows it. Synchronous. */
export interface Feed {
  readonly tenantId: string;
  readonly groups: ReadonlyMap<string, Group>;
  /** Followers, whether they are in a group already or still catching up. */
  readonly viewers: Set<Viewer>;
  /** How far it is read; undefined: it has not been found yet. */
  position(): string | undefined;
  /** Resolves when it has been found. */
  readonly found: Promise<void>;
  /** How often it was lost and found again. */
  restarts(): number;
  /** It goes on from here: found, or lost and found again. */
  restart(position: string): void;
  /** Takes what was read; gives what is new of it. */
  take(page: StreamPage): readonly StreamEvent[];
  /** Remembers an event that was read from history, so that a later repeat is known as such. */
  note(event: StreamEvent): void;
  /** Whether the position is one that it has read lately: nothing after it is missing. */
  isRecent(position: string): boolean;
  /** Lately read events after one position and up to another; undefined: it does not go back so far. */
  recent(after: string, upTo: string): readonly StreamEvent[] | undefined;
  /** How far everybody in the group of a viewer is; a new group starts where the feed is. */
  joinAt(viewer: Viewer): string;
  /** How far a viewer is, once it is in its group. */
  positionOf(viewer: Viewer): string | undefined;
  enter(viewer: Viewer): Group;
  leave(viewer: Viewer): void;
}

/** After everything when there is none: then nothing is recent. */
function firstOf([first]: readonly StreamEvent[]): string {
  return first?.position ?? STREAM_END;
}

export function createFeed(tenantId: string): Feed {
  const groups = new Map<string, Group>();
  const viewers = new Set<Viewer>();
  const seen = new Map<string, string>();
  let recent: StreamEvent[] = [];
  let recentFrom = STREAM_START;
  let position: string | undefined;
  let restarts = 0;
  let setFound: () => void = () => undefined;
  const found = new Promise<void>((resolve) => {
    setFound = resolve;
  });

  /** False for a repeat: the same event, further on. */
  const isFirst = (event: StreamEvent): boolean => {
    const known = seen.get(event.id);
    if (known !== undefined) return comparePositions(event.position, known) <= 0;
    seen.set(event.id, event.position);
    if (seen.size > LIMITS.streamSeenMax) {
      const [oldest] = seen.keys();
      if (oldest !== undefined) seen.delete(oldest);
    }
    return true;
  };
  const keyOf = (viewer: Viewer): string => `${viewer.transport} ${tenantId} ${viewer.filter.key}`;

  return Object.freeze({
    tenantId,
    groups,
    viewers,
    found,
    position: () => position,
    restarts: () => restarts,
    restart: (from: string) => {
      if (position !== undefined) restarts += 1;
      position = from;
      recent = [];
      recentFrom = from;
      for (const group of groups.values()) group.position = from;
      setFound();
    },
    take: (page: StreamPage) => {
      const fresh = page.events.filter(isFirst);
      recent.push(...fresh);
      position = page.last;
      const spare = recent.length - LIMITS.streamRecentMax;
      if (spare > 0) recentFrom = recent.splice(0, spare).at(-1)?.position ?? recentFrom;
      return fresh;
    },
    note: (event: StreamEvent) => {
      isFirst(event);
    },
    // In what began anew nothing is known of what was before its first event.
    isRecent: (asked: string) =>
      position !== undefined &&
      !(recentFrom === STREAM_START && comparePositions(asked, firstOf(recent)) < 0) &&
      comparePositions(asked, recentFrom) >= 0 &&
      comparePositions(asked, position) <= 0,
    recent: (after: string, upTo: string) =>
      comparePositions(after, recentFrom) < 0
        ? undefined
        : recent.filter(
            (event) =>
              comparePositions(event.position, after) > 0 &&
              comparePositions(event.position, upTo) <= 0,
          ),
    joinAt: (viewer: Viewer) => groups.get(keyOf(viewer))?.position ?? position ?? STREAM_START,
    positionOf: (viewer: Viewer) => {
      const group = groups.get(keyOf(viewer));
      return group?.members.has(viewer) === true ? group.position : undefined;
    },
    enter: (viewer: Viewer) => {
      const key = keyOf(viewer);
      const known = groups.get(key);
      const { filter } = viewer;
      const group = known ?? {
        key,
        filter,
        members: new Set(),
        position: position ?? STREAM_START,
      };
      groups.set(key, group);
      group.members.add(viewer);
      return group;
    },
    leave: (viewer: Viewer) => {
      viewers.delete(viewer);
      const group = groups.get(keyOf(viewer));
      group?.members.delete(viewer);
      if (group?.members.size === 0) groups.delete(group.key);
    },
  } satisfies Feed);
}
