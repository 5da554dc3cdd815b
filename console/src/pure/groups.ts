import type { Operation } from '../types.ts';

export interface Group {
  readonly code: string;
  readonly type: string;
  /** Of the newest. */
  readonly detail: string;
  readonly items: readonly Operation[];
}

/** By type and error code, the largest group first. */
export function groupsOf(operations: readonly Operation[]): readonly Group[] {
  const groups = new Map<string, Operation[]>();
  for (const operation of operations) {
    const name = `${operation.type} ${operation.error?.code ?? ''}`;
    groups.set(name, [...(groups.get(name) ?? []), operation]);
  }
  return [...groups.values()]
    .flatMap((items) => {
      const [newest] = items;
      if (newest === undefined) return [];
      const { type, error } = newest;
      return [{ type, code: error?.code ?? 'unknown', detail: error?.detail ?? '', items }];
    })
    .sort((a, b) => b.items.length - a.items.length);
}
