import { Binary, type Db } from 'mongodb';
import { LIMITS } from '../../../config/limits.ts';
import { collection } from '../../infra/collections.ts';
import { present } from '../../kernel/assert.ts';
import { HASH_BYTES, type Hash, type Subtree, nodeHash } from './merkle.ts';

/**
 * The hashes of a tree in tiles of 256 (C2SP tlog-tiles): those of level 0 have the hashes of leaves,
 * those of level n the roots of whole tiles of level n - 1. A whole tile never changes; the last one of
 * level 0 grows.
 */
interface TileDoc {
  /** `<tenant>/<level>/<number>` */
  readonly _id: string;
  readonly tenantId: string;
  readonly level: number;
  readonly number: number;
  readonly count: number;
  readonly hashes: Binary;
  /** Level 0: the entries, in their order. */
  readonly ids?: readonly string[];
  /** Level 0: the time key of the first one. */
  readonly firstAt?: Date;
  readonly firstId?: string;
}

/** How far the tree of a tenant goes. */
interface TreeDoc {
  readonly _id: string;
  readonly size: number;
  /** The time key of its last entry. */
  readonly lastKey: string;
}

export interface CheckpointDoc {
  /** `<tenant>/<size>` */
  readonly _id: string;
  readonly tenantId: string;
  readonly size: number;
  readonly note: string;
  readonly createdAt: Date;
}

export interface Leaf {
  readonly id: string;
  readonly at: Date;
  readonly hash: Hash;
}

export interface LeafTile {
  readonly ids: readonly string[];
  readonly hashes: readonly Hash[];
}

export interface TileStore {
  tree(tenantId: string): Promise<{ readonly size: number; readonly lastKey: string } | undefined>;
  /** Writes the leaves behind `size`; doing it again writes the same. */
  append(tenantId: string, size: number, leaves: readonly Leaf[]): Promise<void>;
  subtree(tenantId: string): Subtree;
  /** Where an entry stands; undefined: it is not there yet. */
  find(
    tenantId: string,
    entry: { readonly id: string; readonly at: Date },
  ): Promise<number | undefined>;
  leaves(tenantId: string, tile: number): Promise<LeafTile | undefined>;
  addCheckpoint(checkpoint: Omit<CheckpointDoc, '_id'>): Promise<void>;
  /** Moves the end of the tree, if it is still where it was. */
  advance(
    tenantId: string,
    from: number,
    to: { readonly size: number; readonly lastKey: string },
  ): Promise<boolean>;
  /** The latest, or that of a size. */
  checkpoint(tenantId: string, size?: number): Promise<CheckpointDoc | undefined>;
}

export const TILE_BITS = 8;
export const TILE = 1 << TILE_BITS;
const SUBTREES_KEPT = 10_000;

export function createTileStore(db: Db): TileStore {
  const tiles = collection<TileDoc>(db, 'ledger_tiles');
  const trees = collection<TreeDoc>(db, 'ledger_trees');
  const checkpoints = collection<CheckpointDoc>(db, 'ledger_checkpoints');
  const options = { maxTimeMS: LIMITS.mongoMaxTimeMs };
  const idOf = (tenantId: string, level: number, number: number): string =>
    `${tenantId}/${String(level)}/${String(number)}`;
  const read = async (tenantId: string, level: number, number: number) =>
    (await tiles.findOne({ _id: idOf(tenantId, level, number) }, options)) ?? undefined;
  const write = async (tile: Omit<TileDoc, '_id'>): Promise<void> => {
    const _id = idOf(tile.tenantId, tile.level, tile.number);
    const old = await tiles.findOne({ _id }, { ...options, projection: { count: 1 } });
    if (old === null) await tiles.replaceOne({ _id }, tile, { upsert: true });
    // A sealer that comes late has fewer of the same.
    else if (old.count < tile.count) await tiles.replaceOne({ _id, count: old.count }, tile);
  };

  /** The root of each whole tile goes into the level above. */
  const lift = async (tenantId: string, level: number, number: number): Promise<void> => {
    const above = number >>> TILE_BITS;
    const whole = present(await read(tenantId, level, number), 'a whole tile');
    const old = await read(tenantId, level + 1, above);
    const place = number & (TILE - 1);
    const kept = hashesOf(old).slice(0, place);
    const count = place + 1;
    const hashes = packed([...kept, treeHash(hashesOf(whole))]);
    await write({ ...{ tenantId, level: level + 1, number: above }, count, hashes });
    if (count === TILE) await lift(tenantId, level + 1, above);
  };

  return Object.freeze({
    tree: async (tenantId) => (await trees.findOne({ _id: tenantId }, options)) ?? undefined,
    append: async (tenantId, size, leaves) => {
      for (let done = 0; done < leaves.length;) {
        const number = (size + done) >>> TILE_BITS;
        const place = (size + done) & (TILE - 1);
        const part = leaves.slice(done, done + TILE - place);
        const old = place === 0 ? undefined : await read(tenantId, 0, number);
        const first = part[0];
        await write({
          ...{ tenantId, level: 0, number, count: place + part.length },
          hashes: packed([...hashesOf(old).slice(0, place), ...part.map(({ hash }) => hash)]),
          ids: [...(old?.ids ?? []).slice(0, place), ...part.map(({ id }) => id)],
          firstAt: old?.firstAt ?? present(first, 'a leaf').at,
          firstId: old?.firstId ?? present(first, 'a leaf').id,
        });
        done += part.length;
        if (place + part.length === TILE) await lift(tenantId, 0, number);
      }
    },
    subtree: (tenantId) => createSubtree((level, number) => read(tenantId, level, number)),
    find: async (tenantId, { id, at }) => {
      // Of the tiles that begin at or before it, the last: those of one time are told apart by id.
      const found = await tiles
        .find(
          {
            ...{ tenantId, level: 0 },
            $or: [{ firstAt: { $lt: at } }, { firstAt: at, firstId: { $lte: id } }],
          },
          options,
        )
        .sort({ firstAt: -1, firstId: -1 })
        .limit(1)
        .toArray();
      const [tile] = found;
      const place = tile?.ids?.indexOf(id) ?? -1;
      return tile === undefined || place < 0 ? undefined : tile.number * TILE + place;
    },
    leaves: async (tenantId, number) => {
      const tile = await read(tenantId, 0, number);
      return tile && { ids: tile.ids ?? [], hashes: hashesOf(tile) };
    },
    addCheckpoint: async (checkpoint) => {
      const _id = `${checkpoint.tenantId}/${String(checkpoint.size)}`;
      const { tenantId, size, note, createdAt } = checkpoint;
      const fresh = { tenantId, size, note, createdAt };
      await checkpoints.updateOne({ _id }, { $setOnInsert: fresh }, { upsert: true });
    },
    advance: async (tenantId, from, to) => {
      if (from === 0) {
        const first = { $setOnInsert: { ...to } };
        return (
          (await trees.updateOne({ _id: tenantId }, first, { upsert: true })).upsertedCount > 0
        );
      }
      return (
        (await trees.updateOne({ _id: tenantId, size: from }, { $set: { ...to } })).matchedCount > 0
      );
    },
    checkpoint: async (tenantId, size) => {
      const which = size === undefined ? { tenantId } : { tenantId, size };
      const found = await checkpoints.find(which, options).sort({ size: -1 }).limit(1).toArray();
      return found[0];
    },
  } satisfies TileStore);
}

function packed(hashes: readonly Hash[]): Binary {
  return new Binary(Buffer.concat(hashes));
}

function hashesOf(tile: Pick<TileDoc, 'hashes'> | undefined): readonly Hash[] {
  if (tile === undefined) return [];
  const bytes = Buffer.from(tile.hashes.buffer);
  const found: Hash[] = [];
  for (let at = 0; at < bytes.length; at += HASH_BYTES) {
    found.push(bytes.subarray(at, at + HASH_BYTES));
  }
  return found;
}

/** Of a power of two of hashes. */
function treeHash(hashes: readonly Hash[]): Hash {
  let row = hashes;
  while (row.length > 1) {
    const next: Hash[] = [];
    for (let at = 0; at < row.length; at += 2) {
      next.push(nodeHash(present(row[at], 'a hash'), present(row[at + 1], 'its neighbour')));
    }
    row = next;
  }
  return present(row[0], 'a hash');
}

/** Reads each tile once. */
function createSubtree(
  read: (level: number, number: number) => Promise<TileDoc | undefined>,
): Subtree {
  const known = new Map<string, Promise<readonly Hash[]>>();
  return async (level, index) => {
    const tileLevel = level >>> 3;
    const bits = level - tileLevel * TILE_BITS;
    const first = index << bits;
    const key = `${String(tileLevel)}/${String(first >>> TILE_BITS)}`;
    const tile = known.get(key) ?? read(tileLevel, first >>> TILE_BITS).then(hashesOf);
    if (known.size < SUBTREES_KEPT) known.set(key, tile);
    const place = first & (TILE - 1);
    return treeHash((await tile).slice(place, place + (1 << bits)));
  };
}
