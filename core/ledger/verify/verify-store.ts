import type { ClientSession, Db, Decimal128 } from 'mongodb';
import { collection } from '../../infra/collections.ts';
import { systemClock } from '../../kernel/clock.ts';
import type { EntryDoc, HoldDoc, TransferDoc } from '../documents.ts';
import {
  type CurrencySummary,
  type Sums,
  type VerifyReport,
  createFindings,
  noSums,
} from './report.ts';
import {
  type VerifyOptions,
  type Walk,
  justAfter,
  readsIn,
  rowsPerPage,
  walkPages,
} from './walk-store.ts';
import { type WalletCursor, checkWalletPage } from './wallets-store.ts';
import {
  type OperationRow,
  checkCurrency,
  checkEntries,
  checkHold,
  checkOperation,
  checkTransfer,
  createEntryTotals,
  currencyKey,
} from './verify.ts';

const PAGE_SIZE = 20_000;
const KEEP_MAX = 20;

/**
 * Recomputes the ledger from its log and reports what does not agree, in constant memory and while
 * the system runs. Every page is read under a snapshot of its own, which is enough: a wallet is held
 * against the entries and holds of the same instant, and the entries of an operation, written
 * together, are read together. Entries never change, so a wallet whose entries fill several pages is
 * folded across their snapshots and compared in the last. Operations that settle behind the walk are
 * not looked at.
 *
 * @throws the driver's error when the database cannot be read.
 */
export async function verifyLedger(db: Db, options: VerifyOptions): Promise<VerifyReport> {
  const clock = options.clock ?? systemClock;
  const startedMs = clock.monotonicMs();
  const walk: Walk = {
    db,
    options,
    findings: createFindings(options.keepMax ?? KEEP_MAX),
    counts: { wallets: 0, entries: 0, operations: 0, transfers: 0, holds: 0 },
    totals: createEntryTotals(),
    pageSize: options.pageSize ?? PAGE_SIZE,
  };
  await walkPages<WalletCursor>(walk, { from: '' }, checkWalletPage);
  await walkPages(walk, '', checkOperationPage);
  await walkPages(walk, '', checkTransferPage);
  await walkPages(walk, '', checkHoldPage);
  const currencies = await summarize(walk);
  for (const summary of currencies) checkCurrency(summary, walk.findings);
  return {
    isClean: walk.findings.count === 0,
    counts: walk.counts,
    currencies,
    violationCount: walk.findings.count,
    byCheck: walk.findings.byCheck,
    violations: walk.findings.first,
    elapsedMs: clock.monotonicMs() - startedMs,
  };
}

const OPERATION_FIELDS = {
  tenantId: 1,
  type: 1,
  status: 1,
  dryRun: 1,
  'input.operations.type': 1,
} as const;

/** Holds a range of operations against their entries: one merge of two collections in id order. */
async function checkOperationPage(
  walk: Walk,
  session: ClientSession,
  from: string,
): Promise<string | undefined> {
  const { findings, counts, totals, options } = walk;
  const { rules } = options;
  const page = await readOperations(walk, session, from);
  const { groups, cutAt } = page;
  if (cutAt !== undefined && groups.size === 0) {
    walk.pageSize *= 2; // one operation has more entries than a page holds
    return from;
  }
  for (const operation of page.operations) {
    checkOperation(operation, { entries: groups.get(operation._id) ?? [], rules }, findings);
  }
  const known = new Map(page.operations.map(({ _id, type }) => [_id, type]));
  for (const [id, entries] of groups) {
    const isStepwise = rules.isStepwise(known.get(id) ?? '');
    checkEntries(id, entries, { totals, findings, isStepwise });
    counts.entries += entries.length;
    if (!known.has(id)) {
      findings.add('operation.missing', id, `${entries.length} entries, and no such operation`);
    }
  }
  counts.operations += page.operations.length;
  options.onProgress?.('operations', counts.operations);
  return page.next;
}

async function readOperations(walk: Walk, session: ClientSession, from: string) {
  const limit = rowsPerPage(walk);
  const operations = await collection<OperationRow>(walk.db, 'operations')
    .find({ _id: { $gte: from } }, { ...readsIn(session), projection: OPERATION_FIELDS })
    .sort({ _id: 1 })
    .limit(limit)
    .toArray();
  const last = operations.length < limit ? undefined : operations.at(-1)?._id;
  // An entry is named after its operation, so both collections have the same order.
  const entries = await collection<EntryDoc>(walk.db, 'transactions')
    .find(
      { _id: { $gte: from, ...(last !== undefined && { $lt: justAfter(last) }) } },
      readsIn(session),
    )
    .sort({ _id: 1 })
    .limit(walk.pageSize)
    .toArray();
  const groups = new Map<string, EntryDoc[]>();
  for (const entry of entries) {
    const id = entry._id.slice(0, entry._id.lastIndexOf('.'));
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [entry]);
    else group.push(entry);
  }
  // The last operation of a full page may have more entries: it begins the next page.
  const cutAt = entries.length < walk.pageSize ? undefined : [...groups.keys()].at(-1);
  if (cutAt !== undefined) groups.delete(cutAt);
  return {
    operations: operations.filter(({ _id }) => cutAt === undefined || _id < cutAt),
    groups,
    cutAt,
    next: cutAt ?? (last && justAfter(last)),
  };
}

async function checkTransferPage(
  walk: Walk,
  session: ClientSession,
  from: string,
): Promise<string | undefined> {
  const limit = rowsPerPage(walk);
  const transfers = await collection<TransferDoc>(walk.db, 'transfers')
    .find({ _id: { $gt: from as TransferDoc['_id'] } }, readsIn(session))
    .sort({ _id: 1 })
    .limit(limit)
    .toArray();
  for (const transfer of transfers) checkTransfer(transfer, walk.findings);
  walk.counts.transfers += transfers.length;
  walk.options.onProgress?.('transfers', walk.counts.transfers);
  return transfers.length < limit ? undefined : transfers.at(-1)?._id;
}

async function checkHoldPage(
  walk: Walk,
  session: ClientSession,
  from: string,
): Promise<string | undefined> {
  const limit = rowsPerPage(walk);
  const holds = await collection<HoldDoc>(walk.db, 'holds')
    .find({ _id: { $gt: from as HoldDoc['_id'] } }, readsIn(session))
    .sort({ _id: 1 })
    .limit(limit)
    .toArray();
  for (const hold of holds) checkHold(hold, walk.findings);
  walk.counts.holds += holds.length;
  walk.options.onProgress?.('holds', walk.counts.holds);
  return holds.length < limit ? undefined : holds.at(-1)?._id;
}

/** A tenant's wallets in one currency, added up by the server; decimals, since int64 could overflow. */
interface WalletSums {
  readonly _id: {
    readonly tenantId: string;
    readonly currency: string;
    readonly isSystem: boolean;
  };
  readonly wallets: number;
  readonly real: Decimal128;
  readonly bonus: Decimal128;
  readonly locked: Decimal128;
}

/** The sums of all wallets at one instant, beside those of the entries that were walked. */
async function summarize(walk: Walk): Promise<readonly CurrencySummary[]> {
  const session = walk.db.client.startSession({ snapshot: true });
  const byKey = new Map<string, CurrencySummary>();
  const rowOf = (tenantId: string, currency: string): CurrencySummary => {
    const walked = walk.totals.get(currencyKey(tenantId, currency));
    return (
      byKey.get(currencyKey(tenantId, currency)) ?? {
        tenantId,
        currency,
        userWallets: 0,
        systemWallets: 0,
        entries: walked?.entries ?? 0,
        heldByUsers: noSums(),
        walletsSum: noSums(),
        entriesSum: walked?.sums ?? noSums(),
      }
    );
  };
  for (const key of walk.totals.keys()) {
    const cut = key.lastIndexOf('/');
    byKey.set(key, rowOf(key.slice(0, cut), key.slice(cut + 1)));
  }
  try {
    for (const sums of await sumWallets(walk.db, session)) {
      const { tenantId, currency } = sums._id;
      byKey.set(currencyKey(tenantId, currency), withWallets(rowOf(tenantId, currency), sums));
    }
  } finally {
    await session.endSession();
  }
  return [...byKey.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

async function sumWallets(db: Db, session: ClientSession): Promise<readonly WalletSums[]> {
  const isSystem = { $eq: [{ $substrCP: ['$userId', 0, 4] }, 'sys:'] };
  const sumOf = (field: string) => ({ $sum: { $toDecimal: field } });
  return collection(db, 'wallets')
    .aggregate<WalletSums>(
      [
        {
          $group: {
            _id: { tenantId: '$tenantId', currency: '$currency', isSystem },
            wallets: { $sum: 1 },
            real: sumOf('$balance'),
            bonus: sumOf('$bonusBalance'),
            locked: sumOf('$lockedBalance'),
          },
        },
      ],
      { session, readConcern: { level: 'snapshot' } },
    )
    .toArray();
}

function withWallets(row: CurrencySummary, sums: WalletSums): CurrencySummary {
  const added: Sums = {
    real: BigInt(sums.real.toString()),
    bonus: BigInt(sums.bonus.toString()),
    locked: BigInt(sums.locked.toString()),
  };
  const walletsSum: Sums = {
    real: row.walletsSum.real + added.real,
    bonus: row.walletsSum.bonus + added.bonus,
    locked: row.walletsSum.locked + added.locked,
  };
  return sums._id.isSystem
    ? { ...row, walletsSum, systemWallets: row.systemWallets + sums.wallets }
    : { ...row, walletsSum, heldByUsers: added, userWallets: row.userWallets + sums.wallets };
}
