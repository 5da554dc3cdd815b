/** Lists by the time at which their rows came, rows of one time by id. */

export type ListOrder = 'asc' | 'desc';

interface TimedRow {
  readonly _id: string;
  readonly createdAt: Date;
}

interface TimeKey {
  readonly at: Date;
  readonly id: string;
}

const KEY = /^(\d{1,15})\/(.{1,100})$/s;

/** Where a row stands, for cursors. */
export function timeKeyOf({ _id, createdAt }: TimedRow): string {
  return `${createdAt.getTime()}/${_id}`;
}

/** Undefined unless the text is such a key, with an id of that kind. */
export function readTimeKey(
  text: string,
  isId: (id: string) => boolean = () => true,
): TimeKey | undefined {
  const [, ms, id] = KEY.exec(text) ?? [];
  if (ms === undefined || id === undefined || !isId(id)) return undefined;
  const at = new Date(Number.parseInt(ms, 10));
  return Number.isNaN(at.getTime()) ? undefined : { at, id };
}

/** Which of its two directions an index by `createdAt` and `_id` is read in. */
export function timeSort(order: ListOrder): { readonly createdAt: 1 | -1; readonly _id: 1 | -1 } {
  return order === 'asc' ? { createdAt: 1, _id: 1 } : { createdAt: -1, _id: -1 };
}

interface TimeRange {
  readonly createdAt?: Date | { readonly $gt?: Date; readonly $lt?: Date; readonly $lte?: Date };
  readonly _id?: { readonly $gt: string } | { readonly $lt: string };
}

/**
 * What comes behind a key, as alternatives that an index gives in order each, so that the server
 * merges them and a page costs the same wherever it is. `until`: how far an ascending list goes.
 */
export function behindTimeKey(
  after: string | undefined,
  { order, until }: { readonly order: ListOrder; readonly until?: Date },
): readonly TimeRange[] {
  const ceiling = until === undefined ? {} : { $lte: until };
  const key = after === undefined ? undefined : readTimeKey(after);
  if (key === undefined) return [until === undefined ? {} : { createdAt: ceiling }];
  const { at, id } = key;
  return order === 'asc'
    ? [{ createdAt: { $gt: at, ...ceiling } }, { createdAt: at, _id: { $gt: id } }]
    : [{ createdAt: { $lt: at } }, { createdAt: at, _id: { $lt: id } }];
}
