import { z } from 'zod';
import { LIMITS } from '../../config/limits.ts';
import { decodeCursor, encodeCursor } from '../../core/kernel/cursor.ts';
import { AppError } from '../../core/kernel/errors.ts';
import type { ListOrder } from '../../core/kernel/time-order.ts';
import { found } from './endpoint.ts';
import type { Reply } from './reply.ts';

const limitText = `must be a number from 1 to ${LIMITS.listLimitMax}`;

/** Query parameters of every list. */
export const pageQuery = {
  limit: z
    .string()
    .regex(/^[1-9]\d{0,3}$/, limitText)
    .transform((text) => Number.parseInt(text, 10))
    .refine((limit) => limit <= LIMITS.listLimitMax, limitText)
    .exactOptional()
    .meta({
      description: `items per page, 1 to ${LIMITS.listLimitMax}`,
      ...{ type: 'integer', minimum: 1, maximum: LIMITS.listLimitMax, pattern: undefined },
    }),
  cursor: z
    .string()
    .max(600)
    .exactOptional()
    .meta({ description: '`nextCursor` of the page before' }),
};

/** Query of a list that has no filters. */
export const plainPageQuery = z.strictObject(pageQuery);

/** Of lists that can be followed: whoever goes on from the last page gets what came after it. */
export const orderedPageQuery = {
  ...pageQuery,
  order: z
    .enum(['asc', 'desc'])
    .exactOptional()
    .meta({ description: '`desc` by default; `asc`, oldest first, always has a `nextCursor`' }),
};

/** Query of an endpoint that takes none. */
export const noQuery = z.strictObject({});

/** Path parameters of an endpoint that has none. */
export const noParams = z.object({});

/** Ids in a path are looked up as they are: one that is malformed is not found. */
export const idParams = z.object({ id: z.string() });

interface PageRequest {
  readonly limit?: number;
  readonly cursor?: string;
  /** Where the list knows it. */
  readonly order?: ListOrder;
}

interface ListSpec<T, V = unknown> {
  /** Names the list inside its cursors, so that no other list takes them. */
  readonly list: string;
  /** What the list is ordered by; cursors carry it. */
  readonly keyOf: (item: T) => string;
  readonly isKey: (text: string) => boolean;
  readonly read: (page: {
    readonly after?: string;
    readonly limit: number;
    readonly order?: ListOrder;
  }) => Promise<readonly T[]>;
  readonly view: (item: T) => V;
}

/** What a list answers with. */
interface Page<V> {
  readonly items: readonly V[];
  readonly nextCursor: string | null;
}

/**
 * One page: `{items, nextCursor}`, the cursor null on the last one. Reads one item more than asked
 * for, to know whether there is a next page. A list with the oldest first has no last page: its cursor
 * is where to go on, the one that was sent while nothing has come.
 *
 * @throws AppError `invalid_cursor` unless the cursor is one that this list has handed out.
 */
export async function listReply<T, V>(
  spec: ListSpec<T, V>,
  request: PageRequest,
): Promise<Reply<Page<V>>> {
  const { list, keyOf, read, view } = spec;
  const limit = request.limit ?? LIMITS.listLimitDefault;
  const after = request.cursor === undefined ? undefined : keyIn(spec, request.cursor);
  const { order } = request;
  const docs = await read({
    ...(after !== undefined && { after }),
    ...(order !== undefined && { order }),
    limit: limit + 1,
  });
  const items = docs.slice(0, limit);
  const isFollowed = order === 'asc';
  const last = isFollowed || docs.length > limit ? items.at(-1) : undefined;
  const atEnd = isFollowed ? (request.cursor ?? null) : null;
  const nextCursor = last === undefined ? atEnd : encodeCursor(list, keyOf(last));
  return found({ items: items.map(view), nextCursor });
}

/** @throws AppError `invalid_cursor` unless the cursor is one of that list. */
export function keyIn(
  { list, isKey }: Pick<ListSpec<unknown>, 'list' | 'isKey'>,
  cursor: string,
): string {
  const key = decodeCursor(list, cursor);
  if (isKey(key)) return key;
  throw new AppError('invalid_cursor', 'Use the `nextCursor` of the previous page, unchanged', {
    errors: [{ pointer: '/cursor', detail: 'not a cursor of this list', in: 'query' }],
  });
}

/** The document, or `not_found`: what another tenant owns does not exist either. */
export function foundOr404<T>(doc: T | undefined, what: string): T {
  if (doc !== undefined) return doc;
  throw new AppError('not_found', `There is no such ${what}`);
}
