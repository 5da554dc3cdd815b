import type { Collection, Document, Filter, FindOptions } from 'mongodb';
import { LIMITS } from '../../../config/limits.ts';
import type { ReadKey } from './grouped-reads.ts';

/** What is looked for, and where its ids stand in the documents. */
export interface KeyedFind {
  readonly keys: readonly ReadKey[];
  readonly field: '_id' | 'userId';
  /** Documents of a key that has several come one after another in this order. */
  readonly sort?: Readonly<Record<string, 1 | -1>>;
}

/**
 * Finds what belongs to keys in one query, each tenant's ids among that tenant's documents only. Hands
 * the documents over as they arrive: at most one reply of the server (16 MB) is held at a time.
 */
export async function findByKeys<T extends Document>(
  docs: Collection<T>,
  { keys, field, sort }: KeyedFind,
  onDoc: (doc: T) => void,
): Promise<void> {
  const options: FindOptions = { maxTimeMS: LIMITS.listMaxTimeMs };
  const cursor = docs.find(filterOf<T>(field, keys), options);
  if (sort === undefined) {
    cursor.batchSize(keys.length + 1); // all in one reply, where it fits
  } else {
    cursor.sort(sort);
  }
  try {
    while (await cursor.hasNext()) {
      for (const doc of cursor.readBufferedDocuments()) onDoc(doc as T);
    }
  } finally {
    await cursor.close();
  }
}

function filterOf<T>(field: KeyedFind['field'], keys: readonly ReadKey[]): Filter<T> {
  const byTenant = new Map<string, string[]>();
  for (const { tenantId, id } of keys) {
    const own = byTenant.get(tenantId);
    if (own === undefined) byTenant.set(tenantId, [id]);
    else own.push(id);
  }
  const parts = [...byTenant].map(([tenantId, ids]): object => {
    const [only] = ids;
    return { tenantId, [field]: ids.length === 1 ? only : { $in: ids } };
  });
  const [first = {}] = parts;
  return parts.length === 1 ? first : { $or: parts };
}
