import { LIMITS } from '../../config/limits.ts';
import { comparePositions } from '../../core/kernel/stream-position.ts';
import type { EventTail, StreamPage } from '../../core/events/stream-tail.ts';
import type { Feed } from './feed.ts';
import type { EventFilter } from './filter.ts';
import { createGate } from './pace.ts';
import { type Batch, createBatch } from './viewer.ts';

/** A page of history, for everybody who resumes in it. */
export interface HistoryPage {
  /** It has what came after this, up to `last`. */
  readonly after: string;
  readonly last: string;
  /** What the filter lets through of it; made once for all who have that filter. */
  batchOf(filter: EventFilter): Batch;
}

/**
 * What clients read that come back, all at once after a deploy: a page is read, parsed and encoded
 * once, also for those who resume somewhere in the middle of it and from there on go together.
 */
export interface History {
  /** A page with what came after a position; undefined: nothing did. */
  page(feed: Feed, after: string): Promise<HistoryPage | undefined>;
}

interface Kept extends HistoryPage {
  readonly feed: Feed;
  readonly restarts: number;
}

export function createHistory(tail: Pick<EventTail, 'page'>): History {
  const kept = new Set<Kept>();
  const oneByOne = createGate(1);

  const find = (feed: Feed, after: string): Kept | undefined => {
    for (const page of kept) {
      const isOfStream = page.feed === feed && page.restarts === feed.restarts();
      const hasNext =
        comparePositions(page.after, after) <= 0 && comparePositions(after, page.last) < 0;
      if (!isOfStream || !hasNext) continue;
      kept.delete(page); // to the end of the line
      kept.add(page);
      return page;
    }
    return undefined;
  };
  const read = async (feed: Feed, after: string): Promise<HistoryPage | undefined> => {
    const restarts = feed.restarts();
    const page = await tail.page(feed.tenantId, after);
    if (page === undefined) return undefined;
    for (const event of page.events) feed.note(event);
    const made: Kept = { ...createPage(page, after), feed, restarts };
    kept.add(made);
    const [oldest] = kept;
    if (kept.size > LIMITS.streamPagesKept && oldest !== undefined) kept.delete(oldest);
    return made;
  };

  return Object.freeze({
    page: async (feed: Feed, after: string) =>
      find(feed, after) ?? oneByOne(async () => find(feed, after) ?? read(feed, after)),
  } satisfies History);
}

function createPage({ events, last }: StreamPage, after: string): HistoryPage {
  const batches = new Map<string, Batch>();
  return {
    after,
    last,
    batchOf: (filter) => {
      const known = batches.get(filter.key);
      if (known !== undefined) return known;
      const batch = createBatch(
        events.filter((event) => filter.matches(event)),
        last,
      );
      const [oldest] = batches.keys();
      if (batches.size >= LIMITS.streamPageFiltersMax && oldest !== undefined) {
        batches.delete(oldest);
      }
      batches.set(filter.key, batch);
      return batch;
    },
  };
}
