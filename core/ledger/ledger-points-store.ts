import type { Db, Document } from 'mongodb';
import { READ_LIMITS } from '../../config/read-limits.ts';
import { collection } from '../infra/collections.ts';
import { findByKeys } from '../infra/reads/keyed-find.ts';
import {
  type GroupedReads,
  type ReadKey,
  createGroupedReads,
} from '../infra/reads/grouped-reads.ts';
import type { HoldDoc, TransferDoc, UserDoc, WalletDoc } from './documents.ts';

/**
 * Single documents of the ledger, from the primary. Look-ups of concurrent requests, of whatever
 * tenants, share round trips; each finds what belongs to its own tenant and nothing else.
 */
export interface LedgerPoints {
  readonly wallets: GroupedReads<WalletDoc>;
  /** All wallets of a user, by currency. */
  readonly walletsOfUsers: GroupedReads<readonly WalletDoc[]>;
  /** By the id of the document: `userDocId`. */
  readonly users: GroupedReads<UserDoc>;
  readonly transfers: GroupedReads<TransferDoc>;
  readonly holds: GroupedReads<HoldDoc>;
}

/** What is looked up, for the metrics. */
export type PointName = 'wallets' | 'users' | 'transfers' | 'holds' | 'wallets-of-user';

export type OnGroup = (what: PointName, size: number) => void;

export function createLedgerPoints(db: Db, onGroup?: OnGroup): LedgerPoints {
  const byId = <T extends TenantDoc>(
    name: 'wallets' | 'users' | 'transfers' | 'holds',
  ): GroupedReads<T> => {
    const docs = collection<T>(db, name);
    return createGroupedReads<T>({
      ...USUAL,
      onGroup: (size) => onGroup?.(name, size),
      load: (keys, give) =>
        findByKeys(docs, { keys, field: '_id' }, (doc) => {
          give({ tenantId: doc.tenantId, id: doc._id }, doc);
        }),
    });
  };
  return Object.freeze({
    wallets: byId<WalletDoc>('wallets'),
    users: byId<UserDoc>('users'),
    transfers: byId<TransferDoc>('transfers'),
    holds: byId<HoldDoc>('holds'),
    walletsOfUsers: walletsOfUsers(db, (size) => onGroup?.('wallets-of-user', size)),
  });
}

interface TenantDoc extends Document {
  readonly _id: string;
  readonly tenantId: string;
}

const USUAL = {
  sizeMax: READ_LIMITS.readGroupMax,
  inFlightMax: READ_LIMITS.readGroupsInFlight,
  waitingMax: READ_LIMITS.readsWaitingMax,
  deadlineMs: READ_LIMITS.readDeadlineMs,
  idCharsMax: READ_LIMITS.readIdCharsMax,
} as const;

function walletsOfUsers(
  db: Db,
  onGroup: (size: number) => void,
): GroupedReads<readonly WalletDoc[]> {
  const docs = collection<WalletDoc>(db, 'wallets');
  const sort = { tenantId: 1, userId: 1, currency: 1 } as const; // as the index has them
  return createGroupedReads<readonly WalletDoc[]>({
    ...USUAL,
    sizeMax: READ_LIMITS.largeReadGroupMax,
    onGroup,
    load: async (keys, give) => {
      let own: WalletDoc[] = [];
      const handOver = (): void => {
        const [first] = own;
        if (first !== undefined) give(ownerOf(first), own);
        own = [];
      };
      await findByKeys(docs, { keys, field: 'userId', sort }, (wallet) => {
        const [first] = own;
        if (first !== undefined && !isOfSame(first, wallet)) handOver();
        own.push(wallet);
      });
      handOver();
    },
  });
}

function ownerOf({ tenantId, userId: id }: WalletDoc): ReadKey {
  return { tenantId, id };
}

function isOfSame(one: WalletDoc, other: WalletDoc): boolean {
  return one.userId === other.userId && one.tenantId === other.tenantId;
}
