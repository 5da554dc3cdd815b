import { LRUCache } from 'lru-cache';

/** A map with a ceiling: beyond it, what was not asked for longest is forgotten. */
export interface RecentMap<V> {
  get(key: string): V | undefined;
  has(key: string): boolean;
  set(key: string, value: V): unknown;
  delete(key: string): boolean;
}

export function createRecentMap<V extends string | number | boolean | object>(
  max: number,
): RecentMap<V> {
  return new LRUCache<string, V>({ max });
}
