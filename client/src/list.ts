import { throwIfAborted } from './clock.ts';
import { SluiceError, invalidArgument } from './errors.ts';
import { isObject } from './json.ts';
import type { CallOptions, Query, Transport } from './transport.ts';

/** One page, as the API answers it. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Where the next page begins; null: this is the last one. */
  readonly nextCursor: string | null;
}

export interface ListOptions extends CallOptions {
  /** So many items at most, over all pages. */
  readonly limit?: number | undefined;
  /** Items a request, 1 to 1,000. */
  readonly pageSize?: number | undefined;
  /** Where an earlier list has come to. */
  readonly cursor?: string | undefined;
}

/** Of lists that can be followed. */
export interface OrderedListOptions extends ListOptions {
  /** `asc`: oldest first. */
  readonly order?: 'asc' | 'desc' | undefined;
  /** With `asc`: waits for what comes after the last one, until aborted. */
  readonly follow?: boolean | undefined;
  /** The longest pause between two looks when nothing has come; 5 s. */
  readonly pollMsMax?: number | undefined;
}

/** Reads page by page, as far as somebody asks for more. */
export interface List<T> extends AsyncIterable<T> {
  /** The pages themselves. */
  pages(): AsyncIterable<Page<T>>;
  /** The next page only; after the last one an empty one. */
  nextPage(): Promise<Page<T>>;
  /** All items in one array: name a `limit`. */
  toArray(): Promise<T[]>;
  /**
   * Where to go on: nothing behind it has been handed out in full. What stood on a page that was left
   * in the middle comes again.
   */
  readonly cursor: string | undefined;
}

const PAGE_SIZE = 100;
const PAGE_SIZE_MAX = 1_000;
const POLL_MS = 250;
const POLL_MS_MAX = 5_000;

export interface ListRequest {
  readonly path: string;
  readonly query?: Query;
}

export function createList<T>(
  transport: Transport,
  { path, query = {} }: ListRequest,
  options: OrderedListOptions = {},
): List<T> {
  const { limit = Infinity, pageSize = PAGE_SIZE, order, follow = false } = checked(options);
  const { clock } = transport.settings;
  let { cursor } = options;
  let left = limit;
  let isOver = left <= 0;
  /** Behind the page that is being handed out. */
  let ahead: string | undefined = cursor;

  const read = async (): Promise<Page<T>> => {
    if (isOver) return { items: [], nextCursor: null };
    const size = Math.min(pageSize, left);
    const { body } = await transport.send({
      ...{ method: 'GET', path, repeat: 'safe', options, isAnswer: isPage },
      query: { ...query, limit: size, cursor: ahead, order },
    });
    const { items, nextCursor } = body as Page<T>;
    left -= items.length;
    const isLast = nextCursor === null || (order === 'asc' && items.length < size);
    isOver = left <= 0 || (isLast && !follow);
    cursor = ahead;
    ahead = nextCursor ?? ahead;
    return { items, nextCursor };
  };

  const pages = async function* (): AsyncGenerator<Page<T>, void, undefined> {
    for (let empty = 0; !isOver;) {
      throwIfAborted(options.signal);
      const page = await read();
      if (page.items.length > 0 || !follow) yield page;
      cursor = ahead;
      empty = page.items.length > 0 ? 0 : empty + 1;
      if (empty === 0 || isOver) continue;
      const pauseMs = Math.min(
        options.pollMsMax ?? POLL_MS_MAX,
        POLL_MS * 2 ** Math.min(empty, 10),
      );
      await clock.sleep(pauseMs * (0.5 + clock.random() / 2), options.signal);
    }
  };

  const items = async function* (): AsyncGenerator<T, void, undefined> {
    for await (const page of pages()) {
      for (const item of page.items) {
        throwIfAborted(options.signal);
        yield item;
      }
    }
  };

  return Object.freeze({
    pages,
    nextPage: async () => {
      const page = await read();
      cursor = ahead;
      return page;
    },
    toArray: async () => {
      if (follow && limit === Infinity) {
        throw invalidArgument('What is followed has no end: say a limit');
      }
      const all: T[] = [];
      for await (const item of items()) all.push(item);
      return all;
    },
    get cursor() {
      return cursor;
    },
    [Symbol.asyncIterator]: items,
  });
}

function isPage(body: Readonly<Record<string, unknown>>): boolean {
  const { items, nextCursor } = body;
  return Array.isArray(items) && (nextCursor === null || typeof nextCursor === 'string');
}

function checked(options: OrderedListOptions): OrderedListOptions {
  const { limit, pageSize, order, follow } = options;
  if (limit !== undefined && !(limit >= 0)) throw invalidArgument('limit must be a number from 0');
  if (pageSize !== undefined && !isPageSize(pageSize)) {
    throw invalidArgument(`pageSize must be 1 to ${PAGE_SIZE_MAX}`);
  }
  if (follow === true && order !== 'asc') throw invalidArgument("follow needs order: 'asc'");
  return options;
}

const isPageSize = (size: number): boolean =>
  Number.isInteger(size) && size >= 1 && size <= PAGE_SIZE_MAX;

/** Items of a list that is always one page. */
export async function itemsOf<T>(
  transport: Transport,
  path: string,
  options?: CallOptions,
): Promise<readonly T[]> {
  const { body } = await transport.send({
    ...{ method: 'GET', path, repeat: 'safe', options },
    isAnswer: ({ items }) => Array.isArray(items),
  });
  if (isObject(body) && Array.isArray(body['items'])) return body['items'] as T[];
  throw new SluiceError('bad_response', 'The answer is no list');
}
