import type { IndexDescription } from 'mongodb';

/** What a collection is for whom. */
export interface CollectionSpec {
  /** The room whose stores open it; everybody else asks them. A test holds the code against it. */
  readonly owner: string;
  /** Stores of other rooms that open it all the same, and why. */
  readonly guests?: Readonly<Record<string, string>>;
  /** In the database of a cell, in the one that all cells share, or in each, for its own processes. */
  readonly home: 'cell' | 'control' | 'both';
  /** What it is split by, once one server is not enough. */
  readonly shardKey: 'tenantId' | '_id';
  /** How long its documents stay. */
  readonly retention: string;
  readonly indexes: readonly IndexDescription[];
}
