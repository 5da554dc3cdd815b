/** What is to become of the fields of a record: a new value each, and null removes what was there. */
export type Changes<T> = { readonly [K in keyof T]?: T[K] | null };

/** The record with its changes. Pure. */
export function changed<T extends object>(record: T, changes: Changes<T>): T {
  const entries = Object.entries({ ...record, ...changes }).filter(([, value]) => value !== null);
  return Object.fromEntries(entries) as T; // only optional fields can be null in a schema
}

/** Without the fields that are null: what is not there need not be removed. Pure. */
export function withoutNulls<T extends object>(record: T): { [K in keyof T]: Exclude<T[K], null> } {
  const entries = Object.entries(record).filter(([, value]) => value !== null);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], null> };
}
