import type { MongoClient } from 'mongodb';
import { type ClientSession, type Document } from 'mongodb';
import type { Cluster } from '../cluster/cluster.ts';
import { openDirect } from '../cluster/mongo-set.ts';

/** Reads past every proxy, from whichever member answers, in one snapshot. */
export interface Reader {
  /** @throws Error when no member answers. */
  snapshot<T>(work: (read: Read) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface Read {
  find(collection: string, filter?: Document, projection?: Document): Promise<readonly Document[]>;
  aggregate(collection: string, pipeline: readonly Document[]): Promise<readonly Document[]>;
}

const READ_MS = 20_000;

export function openReader(cluster: Cluster): Reader {
  const clients = new Map<number, MongoClient>();
  const clientOf = (index: number): MongoClient => {
    const member = cluster.mongo.members[index];
    const known = clients.get(index);
    if (known !== undefined) return known;
    if (member === undefined) throw new Error(`there is no member ${String(index)}`);
    const client = openDirect(member);
    clients.set(index, client);
    return client;
  };
  return Object.freeze({
    snapshot: async <T>(work: (read: Read) => Promise<T>): Promise<T> => {
      let failure: unknown;
      // The primary first: it has everything, and nobody waits for a member that lags.
      const primary = await cluster.mongo.primary(3_000).catch(() => undefined);
      const others = cluster.mongo.members.map(({ index }) => index);
      const order = [...new Set([...(primary === undefined ? [] : [primary.index]), ...others])];
      for (const index of order) {
        const session = clientOf(index).startSession({ snapshot: true });
        try {
          return await work(readIn(clientOf(index), session, cluster.database));
        } catch (error) {
          failure = error;
        } finally {
          await session.endSession().catch(() => undefined); // its server may be gone
        }
      }
      throw new Error('no member could be read', { cause: failure });
    },
    close: async () => {
      await Promise.all([...clients.values()].map((client) => client.close()));
    },
  });
}

function readIn(client: MongoClient, session: ClientSession, database: string): Read {
  const db = client.db(database);
  const options = { session, maxTimeMS: READ_MS };
  const open = (name: string) => db.collection(name, { useBigInt64: true });
  return {
    find: (name, filter = {}, projection = {}) =>
      open(name)
        .find(filter, { ...options, projection })
        .batchSize(5_000)
        .toArray(),
    aggregate: (name, pipeline) =>
      open(name)
        .aggregate([...pipeline], options)
        .toArray(),
  };
}
