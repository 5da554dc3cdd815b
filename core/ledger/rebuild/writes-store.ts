import { type AnyBulkWriteOperation, type Db, MongoBulkWriteError } from 'mongodb';
import { collection } from '../../infra/collections.ts';
import { noneFails } from '../../kernel/every.ts';
import type { HoldDoc, TransferDoc, WalletDoc } from '../documents.ts';
import type { FieldDifference, RebuiltKind } from './differences.ts';

/** A document that is to become what the log says. */
export interface Rebuilt {
  readonly kind: RebuiltKind;
  readonly rebuilt: WalletDoc | TransferDoc | HoldDoc;
  /** Absent: it is not there. */
  readonly stored?: WalletDoc | TransferDoc | HoldDoc;
  readonly fields?: readonly FieldDifference[];
}

/** A document of any of the kinds. */
interface StoredDoc {
  readonly _id: string;
  readonly [field: string]: unknown;
}

/** What settlement may change of a document: the compare-and-set of a write that is not its own. */
const COMPARED = {
  wallets: [
    ...['seq', 'balance', 'bonusBalance', 'lockedBalance', 'totalCredited', 'totalDebited'],
    ...['overdraftLimit', 'status', 'ownerBlocked', 'updatedAt'],
  ],
  transfers: ['reversedAmount', 'status', 'updatedAt'],
  holds: ['captured', 'released', 'status', 'updatedAt'],
} as const satisfies Record<RebuiltKind, readonly string[]>;

/**
 * Writes documents anew, each only if it is still what was read; returns how many were not. A settlement
 * that has read one of them before meets a write conflict and reads it again.
 */
export async function writeRebuilt(
  db: Db,
  kind: RebuiltKind,
  changes: readonly Rebuilt[],
): Promise<{ readonly written: number; readonly moved: number }> {
  if (changes.length === 0) return { written: 0, moved: 0 };
  const writes = changes.map((change) => writeOf(kind, change));
  let written: number;
  try {
    const result = await collection<StoredDoc>(db, kind).bulkWrite(writes, { ordered: false });
    written = result.matchedCount + result.insertedCount;
  } catch (error) {
    if (!isOnlyRepeats(error)) throw error;
    written = error.result.matchedCount + error.result.insertedCount;
  }
  return { written, moved: changes.length - written };
}

function writeOf(
  kind: RebuiltKind,
  { rebuilt, stored, fields = [] }: Rebuilt,
): AnyBulkWriteOperation<StoredDoc> {
  if (stored === undefined) return { insertOne: { document: { ...rebuilt } } };
  const read: Readonly<Record<string, unknown>> = { ...stored };
  const names: readonly string[] = COMPARED[kind];
  const set = fields.filter((one) => one.rebuilt !== undefined);
  const unset = fields.filter((one) => one.rebuilt === undefined);
  return {
    updateOne: {
      filter: { _id: stored._id, ...Object.fromEntries(names.map((name) => [name, read[name]])) },
      update: {
        ...(set.length > 0 && {
          $set: Object.fromEntries(set.map((one) => [one.field, one.rebuilt])),
        }),
        ...(unset.length > 0 && { $unset: Object.fromEntries(unset.map((one) => [one.field, 1])) }),
      },
    },
  };
}

const DUPLICATE_KEY = 11_000;

/** Somebody has put it back meanwhile. */
function isOnlyRepeats(error: unknown): error is MongoBulkWriteError {
  return (
    error instanceof MongoBulkWriteError &&
    noneFails([error.writeErrors].flat(), ({ code }) => code === DUPLICATE_KEY)
  );
}
