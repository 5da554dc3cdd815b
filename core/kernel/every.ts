/**
 * What is true of an empty list decides nothing: that nothing failed is no sign that something
 * happened. So there are two words for it, and `Array.prototype.every` is banned.
 */

/** At least one, and each of them. */
export function allOf<T>(list: readonly T[], holds: (item: T, index: number) => boolean): boolean {
  return list.length > 0 && noneFails(list, holds);
}

/** None of them fails, and there may be none: where an empty list is right by itself. */
export function noneFails<T>(
  list: readonly T[],
  holds: (item: T, index: number) => boolean,
): boolean {
  return !list.some((item, index) => !holds(item, index));
}
