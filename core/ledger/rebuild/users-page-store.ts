import type { ClientSession } from 'mongodb';
import { LEDGER_LIMITS } from '../../../config/ledger-limits.ts';
import { type HoldId, type TransferId, originOf } from '../../kernel/ids.ts';
import { laterOf } from '../book.ts';
import type { EntryDoc, HoldDoc, TransferDoc, WalletDoc } from '../documents.ts';
import { arrivalOf, holdFrom, transferFrom } from './documents.ts';
import { fieldsThatDiffer } from './differences.ts';
import type { RebuildReads, SettledRequest } from './reads-store.ts';
import { type RebuildTally, createTally } from './report.ts';
import type { RebuildRules } from './rules.ts';
import {
  type HoldHistory,
  type TransferHistory,
  type WalletHistory,
  createWalletHistory,
  reversedBy,
  withMoney,
} from './wallet-history.ts';
import type { Rebuilt } from './writes-store.ts';

/** What one snapshot says of some wallets: what was counted, and what is to be written. */
export interface Page {
  readonly tally: RebuildTally;
  readonly changes: Rebuilt[];
}

export function createPage(): Page {
  return { tally: createTally(), changes: [] };
}

export interface PageContext {
  readonly reads: RebuildReads;
  readonly rules: RebuildRules;
  readonly session: ClientSession;
}

/** As `acceptedAt` of operations, which stands above. */
function acceptedAt({
  createdAt,
  requestedRunAt,
}: Pick<SettledRequest, 'createdAt' | 'requestedRunAt'>): Date {
  return requestedRunAt === undefined ? createdAt : laterOf(requestedRunAt, createdAt);
}

/** Wallets as their operations have set them, and as they are stored. */
export interface WalletsToRebuild {
  readonly asSet: ReadonlyMap<string, WalletDoc>;
  readonly stored: ReadonlyMap<string, WalletDoc>;
}

/** Holds wallets, and the holds and transfers on them, against the log. */
export async function rebuildWallets(
  context: PageContext,
  { asSet, stored }: WalletsToRebuild,
): Promise<Page> {
  const page = createPage();
  const { reads, session } = context;
  let left = [...new Set([...asSet.keys(), ...stored.keys()])].sort();
  while (left.length > 0) {
    const entries = await reads.entriesFrom(session, left);
    const isCut = entries.length >= LEDGER_LIMITS.rebuildEntriesPage;
    const cutAt = isCut ? entries.at(-1)?.walletId : undefined;
    const byWallet = grouped(entries);
    const whole = left.filter((id) => cutAt === undefined || id < cutAt);
    const histories = new Map(whole.map((id) => [id, historyOf(id, byWallet.get(id))] as const));
    await finishAll(context, page, { histories, asSet, stored });
    if (cutAt !== undefined) {
      const history = historyOf(cutAt, byWallet.get(cutAt));
      await readRest(context, page, history);
      await finishAll(context, page, { histories: new Map([[cutAt, history]]), asSet, stored });
    }
    left = cutAt === undefined ? [] : left.filter((id) => id > cutAt);
  }
  return page;
}

function grouped(entries: readonly EntryDoc[]): ReadonlyMap<string, readonly EntryDoc[]> {
  const byWallet = new Map<string, EntryDoc[]>();
  for (const entry of entries) {
    const group = byWallet.get(entry.walletId);
    if (group === undefined) byWallet.set(entry.walletId, [entry]);
    else group.push(entry);
  }
  return byWallet;
}

function historyOf(id: string, entries: readonly EntryDoc[] = []): WalletHistory {
  const history = createWalletHistory(id);
  for (const entry of entries) history.add(entry);
  return history;
}

/** The rest of a wallet that fills pages; of a long one, what is done with leaves memory on the way. */
async function readRest(context: PageContext, page: Page, history: WalletHistory): Promise<void> {
  const { reads, session } = context;
  let later: ReadonlyMap<TransferId, readonly EntryDoc[]> | undefined;
  for (;;) {
    const { walletId, seq } = history.fold;
    const entries = await reads.entriesOf(session, walletId, seq);
    for (const entry of entries) history.add(entry);
    if (entries.length < LEDGER_LIMITS.rebuildEntriesPage) break;
    if (seq < LEDGER_LIMITS.rebuildWalletEntriesMax) continue;
    later ??= byTransfer(await reads.reversals(session, walletId, history.fold.seq));
    await compareHolds(context, page, history.takeHolds());
    await compareTransfers(context, page, withLater(history.takeTransfers(), later));
  }
  if (later !== undefined) {
    await compareTransfers(context, page, history.transfers);
    history.takeTransfers();
  }
}

function byTransfer(entries: readonly EntryDoc[]): ReadonlyMap<TransferId, readonly EntryDoc[]> {
  const found = new Map<TransferId, EntryDoc[]>();
  for (const entry of entries) {
    const id = entry.transferId;
    // What another has paid comes in under its transfer's id too.
    if (id === undefined || originOf('trf', id) === entry.operationId) continue;
    const list = found.get(id);
    if (list === undefined) found.set(id, [entry]);
    else list.push(entry);
  }
  return found;
}

/** `later` has what came behind the first look; what lies before `taken` ends is in it already. */
function withLater(
  taken: ReadonlyMap<TransferId, TransferHistory>,
  later: ReadonlyMap<TransferId, readonly EntryDoc[]>,
): ReadonlyMap<TransferId, TransferHistory> {
  return new Map(
    [...taken].map(([id, transfer]) => {
      const behind = (later.get(id) ?? []).filter((entry) => entry.seq > transfer.seenUpTo);
      return [id, behind.reduce(reversedBy, transfer)];
    }),
  );
}

interface Finished extends WalletsToRebuild {
  readonly histories: ReadonlyMap<string, WalletHistory>;
}

async function finishAll(context: PageContext, page: Page, finished: Finished): Promise<void> {
  const holds = new Map<HoldId, HoldHistory>();
  const transfers = new Map<TransferId, TransferHistory>();
  for (const [id, history] of finished.histories) {
    const asSet = finished.asSet.get(id);
    const stored = finished.stored.get(id);
    page.tally.entries += history.fold.seq;
    if (!compareWallet(page, history, { asSet, stored })) continue;
    for (const [holdId, hold] of history.holds) holds.set(holdId, hold);
    for (const [transferId, transfer] of history.transfers) transfers.set(transferId, transfer);
  }
  await compareHolds(context, page, holds);
  await compareTransfers(context, page, transfers);
}

/** False: its log is damaged, and nothing is made of it. */
export function compareWallet(
  { tally, changes }: Page,
  history: WalletHistory,
  {
    asSet,
    stored,
  }: { readonly asSet: WalletDoc | undefined; readonly stored: WalletDoc | undefined },
): boolean {
  tally.checked.wallets += 1;
  if (history.damage.length > 0) {
    tally.damaged += 1;
    tally.damage.push(...history.damage);
    return false;
  }
  if (asSet === undefined) tally.unexplained += 1;
  // What nobody has opened keeps its settings; its money is that of its entries all the same.
  const base = asSet ?? stored;
  if (base !== undefined) {
    compare({ tally, changes }, 'wallets', { stored, rebuilt: withMoney(base, history) });
  }
  return true;
}

async function compareHolds(
  { reads, rules, session }: PageContext,
  page: Page,
  holds: ReadonlyMap<HoldId, HoldHistory>,
): Promise<void> {
  if (holds.size === 0) return;
  const all = [...holds.values()];
  const placing = await reads.requests(
    session,
    all.map(({ placed }) => placed.operationId),
  );
  const ending = await reads.requests(
    session,
    all.flatMap(({ last }) => (last === undefined ? [] : [last.operationId])),
  );
  const stored = await reads.holds(session, [...holds.keys()]);
  for (const [id, history] of holds) {
    const request = placing.get(history.placed.operationId);
    if (request === undefined) {
      addDamage(page, id, `its operation ${history.placed.operationId} is not there`);
      continue;
    }
    const end = history.last && ending.get(history.last.operationId);
    const terms = rules.termsOf(request, id);
    const releaseAcceptedAt = end && acceptedAt(end);
    const rebuilt = holdFrom(id, history, { terms, releaseAcceptedAt });
    page.tally.checked.holds += 1;
    compare(page, 'holds', { stored: stored.get(id), rebuilt });
  }
}

async function compareTransfers(
  { reads, session }: PageContext,
  page: Page,
  transfers: ReadonlyMap<TransferId, TransferHistory>,
): Promise<void> {
  if (transfers.size === 0) return;
  const arrivals = await reads.entries(
    session,
    [...transfers.values()].map(({ paid }) => arrivalOf(paid)),
  );
  const stored = await reads.transfers(session, [...transfers.keys()]);
  for (const [id, history] of transfers) {
    const arrived = arrivals.get(arrivalOf(history.paid));
    if (arrived?.transferId !== id) {
      addDamage(page, arrivalOf(history.paid), `what ${history.paid._id} paid arrives nowhere`);
      continue;
    }
    page.tally.checked.transfers += 1;
    compare(page, 'transfers', {
      stored: stored.get(id),
      rebuilt: transferFrom(id, history, arrived),
    });
  }
}

function addDamage({ tally }: Page, id: string, detail: string): void {
  tally.damaged += 1;
  tally.damage.push({ check: 'operation.missing', id, detail });
}

type Kind = { wallets: WalletDoc; holds: HoldDoc; transfers: TransferDoc };

function compare<K extends keyof Kind>(
  { tally, changes }: Page,
  kind: K,
  { stored, rebuilt }: { readonly stored: Kind[K] | undefined; readonly rebuilt: Kind[K] },
): void {
  const fields = stored === undefined ? undefined : fieldsThatDiffer(stored, rebuilt);
  if (stored !== undefined && fields === undefined) return;
  tally.differing[kind] += 1;
  const { _id: id, tenantId } = rebuilt;
  tally.differences.push({ kind, id, tenantId, ...(fields !== undefined && { fields }) });
  changes.push({
    ...{ kind, rebuilt },
    ...(stored !== undefined && { stored }),
    ...(fields !== undefined && { fields }),
  });
}
