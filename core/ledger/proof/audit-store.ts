import type { Db } from 'mongodb';
import { LEDGER_LIMITS } from '../../../config/ledger-limits.ts';
import { LIMITS } from '../../../config/limits.ts';
import { collection } from '../../infra/collections.ts';
import { behindTimeKey, timeKeyOf, timeSort } from '../../kernel/time-order.ts';
import type { EntryDoc } from '../documents.ts';
import { leafOf } from './leaf.ts';
import { type Hash, leafHash, nodeHash } from './merkle.ts';
import { type Checkpoint, openNote, readCheckpoint } from './note.ts';
import { TILE, TILE_BITS, createTileStore } from './tiles-store.ts';

/** What an entry of the log is not. */
export interface LogFault {
  readonly kind: 'altered' | 'removed' | 'inserted';
  readonly id: string;
  /** Where it stands in the log; of an inserted one, before which. */
  readonly index: number;
}

export interface LogAudit {
  readonly tenantId: string;
  readonly size: number;
  /** `no-checkpoint`: nothing is sealed. `not-signed`: by that key it is not. */
  readonly verdict: 'proved' | 'faulty' | 'other-root' | 'not-signed' | 'no-checkpoint';
  readonly faultCount: number;
  readonly faults: readonly LogFault[];
}

interface AuditOptions {
  readonly db: Db;
  readonly tenantId: string;
  readonly publicKey: string;
  /** The checkpoint that is believed; by default the latest that is stored. */
  readonly note?: string;
  readonly keepMax?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, size: number) => void;
}

/**
 * Holds all entries up to a signed checkpoint against it: their root has to be its root, whatever else
 * the database says. Where it is not, what the sealer has kept names the entries.
 */
export async function auditLog(options: AuditOptions): Promise<LogAudit> {
  const { db, tenantId, publicKey } = options;
  const none = { tenantId, size: 0, faultCount: 0, faults: [] };
  const note = options.note ?? (await createTileStore(db).checkpoint(tenantId))?.note;
  if (note === undefined) return { ...none, verdict: 'no-checkpoint' };
  const signed = signedBy(note, publicKey);
  const isTheirs = signed?.origin.endsWith(`/${tenantId}`) === true;
  return isTheirs ? auditTo(options, signed) : { ...none, verdict: 'not-signed' };
}

function signedBy(note: string, publicKey: string): Checkpoint | undefined {
  const text = openNote(note, publicKey);
  return text === undefined ? undefined : readCheckpoint(text);
}

async function auditTo(options: AuditOptions, { size, root }: Checkpoint): Promise<LogAudit> {
  const { db, tenantId, keepMax = KEEP_MAX } = options;
  const store = createTileStore(db);
  const compact = createCompactTree();
  const faults: LogFault[] = [];
  let faultCount = 0;
  const add = (fault: LogFault): void => {
    faultCount += 1;
    if (faults.length < keepMax) faults.push(fault);
  };
  const entries = readAhead(options);
  for (let first = 0; first < size; first += TILE) {
    options.signal?.throwIfAborted();
    const { ids, hashes } = await store.leaves(tenantId, first >>> TILE_BITS);
    const sealed = { ids: ids.slice(0, size - first), hashes, first };
    await compareTile(sealed, entries, { add, push: compact.push });
    options.onProgress?.(Math.min(size, first + TILE), size);
  }
  const isSame = compact.size() === size && compact.root().equals(root);
  const unlessSame = faultCount > 0 ? 'faulty' : 'other-root';
  const verdict = isSame && faultCount === 0 ? 'proved' : unlessSame;
  return { tenantId, size, verdict, faultCount, faults };
}

const KEEP_MAX = 20;

interface SealedTile {
  readonly ids: readonly string[];
  readonly hashes: readonly Hash[];
  readonly first: number;
}

interface Sink {
  readonly add: (fault: LogFault) => void;
  readonly push: (hash: Hash) => void;
}

/** Both in the order of the log: what only one of them has was removed or put in. */
async function compareTile(
  { ids, hashes, first }: SealedTile,
  entries: Ahead,
  { add, push }: Sink,
): Promise<void> {
  for (const [place, id] of ids.entries()) {
    const index = first + place;
    const at = await entries.placeOf(id);
    if (at === undefined) {
      add({ kind: 'removed', id, index });
      continue;
    }
    for (let skipped = 0; skipped < at; skipped += 1) {
      const stranger = await entries.next();
      if (stranger !== undefined) add({ kind: 'inserted', id: stranger._id, index });
    }
    const entry = await entries.next();
    if (entry === undefined) continue;
    const hash = leafHash(Buffer.from(leafOf(entry)));
    if (hashes[place]?.equals(hash) !== true) add({ kind: 'altered', id, index });
    push(hash);
  }
}

interface Ahead {
  next(): Promise<EntryDoc | undefined>;
  /** How many come before it, if it is among the next ones. */
  placeOf(id: string): Promise<number | undefined>;
}

/** A tile's length ahead is enough to tell what was put in from what is missing. */
function readAhead({ db, tenantId }: AuditOptions): Ahead {
  const entries = collection<EntryDoc>(db, 'transactions');
  let buffer: readonly EntryDoc[] = [];
  let head = 0;
  let after: string | undefined;
  let isOver = false;
  const fill = async (): Promise<void> => {
    while (!isOver && buffer.length - head < 2 * TILE) {
      const ranges = behindTimeKey(after, { order: 'asc' });
      const [only] = ranges;
      const parts = ranges.map((range) => ({ tenantId, ...range }));
      const filter = ranges.length === 1 ? { tenantId, ...only } : { $or: parts };
      const page = await entries
        .find(filter, { maxTimeMS: LIMITS.mongoMaxTimeMs })
        .sort(timeSort('asc'))
        .limit(LEDGER_LIMITS.sealPage)
        .toArray();
      const last = page.at(-1);
      isOver = page.length < LEDGER_LIMITS.sealPage;
      if (last !== undefined) after = timeKeyOf(last);
      buffer = [...buffer.slice(head), ...page];
      head = 0;
    }
  };
  return {
    next: async () => {
      await fill();
      head += 1;
      return buffer[head - 1];
    },
    placeOf: async (id) => {
      await fill();
      if (buffer[head]?._id === id) return 0;
      const place = buffer.slice(head, head + 2 * TILE).findIndex(({ _id }) => _id === id);
      return place < 0 ? undefined : place;
    },
  };
}

/** A tree of which only the roots of its whole parts are kept. */
function createCompactTree() {
  const parts: { readonly level: number; readonly hash: Hash }[] = [];
  let count = 0;
  return {
    push: (leaf: Hash): void => {
      let [level, hash] = [0, leaf];
      for (let top = parts.at(-1); top?.level === level; top = parts.at(-1)) {
        parts.pop();
        hash = nodeHash(top.hash, hash);
        level += 1;
      }
      parts.push({ level, hash });
      count += 1;
    },
    size: () => count,
    root: (): Hash => {
      const [last, ...rest] = parts.map(({ hash }) => hash).reverse();
      return rest.reduce((right, left) => nodeHash(left, right), last ?? Buffer.alloc(0));
    },
  };
}
