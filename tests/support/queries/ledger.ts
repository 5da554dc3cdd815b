import type { Db } from 'mongodb';
import { LIMITS } from '../../../config/limits.ts';
import { createLedgerPoints } from '../../../core/ledger/ledger-points-store.ts';
import { createListReads } from '../../../core/infra/reads/list-reads.ts';
import { createLedgerQueries } from '../../../core/ledger/ledger-reads-store.ts';
import { collection } from '../../../core/infra/collections.ts';
import type { HoldDoc, TransferDoc, WalletDoc } from '../../../core/ledger/documents.ts';
import { createExpiredHoldsStore } from '../../../core/ledger/expired-holds-store.ts';
import { verifyLedger } from '../../../core/ledger/verify/verify-store.ts';
import { createLeaseStore } from '../../../core/infra/lease-store.ts';
import { auditLog } from '../../../core/ledger/proof/audit-store.ts';
import { createLedgerProofs } from '../../../core/ledger/proof/proofs-store.ts';
import { createSealer, sealTenant } from '../../../core/ledger/proof/seal-store.ts';
import { createLedgerWatch } from '../../../core/ledger/watch/watch-store.ts';
import { createLedgerSigner } from '../../../runtime/ledger-signer.ts';
import { createRebuildReads } from '../../../core/ledger/rebuild/reads-store.ts';
import { rebuildLedger } from '../../../core/ledger/rebuild/rebuild-store.ts';
import { walletIdOf } from '../../../core/kernel/ids.ts';
import { rebuildRules } from '../../../core/operation-types/rebuild-rules.ts';
import { ledgerRules } from '../../../core/operation-types/ledger-rules.ts';
import { OPERATIONS } from '../../../core/operation-types/registry.ts';
import { createLedgerStore } from '../../../core/ledger/ledger-store.ts';
import { type Instance, TENANT, accept, settled, submission } from '../platform.ts';
import { openSettler, pokeAll } from '../settling.ts';
import { FUTURE, PAST } from './piles.ts';
import type { Call } from './every-query.ts';

const page = { limit: 5 };

/** Money moves in all ways that write the ledger: users, wallets, transfers and holds, new and changed. */
export async function moveMoney(node: Instance): Promise<void> {
  const settler = openSettler(node);
  const settle = async (...submissions: readonly ReturnType<typeof submission>[]) => {
    const operations = await accept(node, submissions);
    pokeAll(settler);
    return settled(node, operations);
  };
  const of = (userId: string, amount?: number) => ({
    ...{ userId, currency: 'EUR' },
    ...(amount !== undefined && { amount }),
  });
  await settle(
    ...['ann', 'bob'].map((userId) =>
      submission('user.create', { userId, wallets: [{ currency: 'EUR' }] }),
    ),
  );
  await settle(...Array.from({ length: 5 }, () => submission('wallet.credit', of('ann', 1_000))));
  const move = { fromUserId: 'ann', toUserId: 'bob', currency: 'EUR', amount: 10 };
  const [moved, held] = await settle(
    submission('transfer', move),
    submission('hold.place', { ...of('ann', 10) }),
  );
  await settle(
    submission('transfer.reverse', { transferId: `trf_${moved?._id.slice(3) ?? ''}` }),
    submission('hold.capture', { holdId: `hld_${held?._id.slice(3) ?? ''}` }),
    submission('user.update', { userId: 'ann', displayName: 'Ann' }),
  );
  await settle(submission('wallet.update', { ...of('ann'), overdraftLimit: 5 }));
  // A stripe that is filling up: the one behind it is asked for.
  const half = LIMITS.systemStripeMinorMax / 2n + 1n;
  const stripes = { tenantId: TENANT, userId: { $regex: /^sys:world#/ } };
  await collection(node.platform.mongo.db, 'wallets').updateMany(stripes, [
    { $set: { balance: { $add: ['$balance', -half] } } },
    { $set: { totalDebited: { $subtract: ['$totalCredited', '$balance'] } } },
  ]);
  await settle(submission('wallet.credit', of('bob', 1)));
}

/** The whole of it in small pages, so that every page begins where another has ended. */
export function verifyCall({ platform }: Instance): Promise<unknown> {
  return verifyLedger(platform.mongo.db, { rules: ledgerRules(OPERATIONS), pageSize: 4 });
}

/** Of all, a tenant and a wallet; with something to write, and with what only long wallets ask for. */
export async function rebuildCall({ platform }: Instance): Promise<void> {
  const { db } = platform.mongo;
  const rules = rebuildRules(OPERATIONS);
  const walletId = walletIdOf(TENANT, 'ann', 'EUR');
  const ann = { tenantId: TENANT, userId: 'ann' };
  await collection(db, 'wallets').updateOne(ann, { $set: { status: 'frozen' } });
  await rebuildLedger(db, { rules });
  await rebuildLedger(db, { rules, walletId });
  await rebuildLedger(db, { rules, tenantId: TENANT, apply: true });
  await db.client.withSession({ snapshot: true }, (session) =>
    createRebuildReads(db).reversals(session, walletId, 0),
  );
}

/** What seals the log, and reads the proofs of it. */
export async function proofCall({ platform, databaseTime }: Instance): Promise<void> {
  const { db } = platform.mongo;
  const env = { NODE_ENV: 'test', LEDGER_LOG_NAME: 'log', LEDGER_LOG_KEY: undefined } as const;
  const signer = await createLedgerSigner(db, env)();
  if (signer === undefined) throw new Error('no signer');
  const sealing = { db, databaseTime, signer, settledWithinMs: 0 };
  const read = { owner: 'test', leases: createLeaseStore(db), ...sealing };
  await createSealer(read)(signer);
  // What is written later joins a tree that has something.
  const entries = collection<{ _id: string; walletId: string; createdAt: Date }>(
    db,
    'transactions',
  );
  const [one] = await entries.find({ tenantId: TENANT }).sort({ createdAt: -1 }).limit(1).toArray();
  if (one === undefined) throw new Error('no entry');
  const createdAt = new Date(one.createdAt.getTime() + 1);
  await entries.insertOne({ ...one, _id: 'op_sealed.1', walletId: 'wal_sealed', createdAt });
  if ((await sealTenant(sealing, TENANT)) === 0) throw new Error('nothing was sealed later');
  const proofs = createLedgerProofs(db, { tenantId: TENANT, currencies: [] });
  const entry = await collection<{ _id: string }>(db, 'transactions').findOne({ tenantId: TENANT });
  await proofs.ofEntry(entry?._id ?? '');
  const size = (await proofs.checkpoint())?.size ?? 0;
  await proofs.consistency(1, size);
  await auditLog({ db, tenantId: TENANT, publicKey: signer.publicKey });
  const { metrics, clock, processId: owner } = platform;
  const watch = createLedgerWatch({
    ...{ db, metrics, clock, owner, leases: createLeaseStore(db), restFactor: 0, passMsMin: 0 },
    ...{ rules: rebuildRules(OPERATIONS), onDrift: async () => undefined },
  });
  for (let turn = 0; turn < 3; turn += 1) await watch.turn();
}

export function ledgerCalls(db: Db): readonly Call[] {
  const lists = createListReads(90);
  const queries = createLedgerQueries(db, { tenantId: TENANT, currencies: [] }, { lists });
  const holds = createExpiredHoldsStore(db);
  const trfs = { tenantId: TENANT, fromUserId: 'ann' };
  const found = async <T extends object>(
    name: 'wallets' | 'transfers' | 'holds',
    filter: object,
  ): Promise<T> => {
    const one = await collection(db, name).findOne(filter);
    if (one === null) throw new Error(`none of ${name}`);
    return one as unknown as T;
  };
  const ann = { tenantId: TENANT, userId: 'ann' };
  const oldest = { ...page, order: 'asc' } as const;
  // Newest first and oldest first, from an end and from the middle.
  const pages = [
    ...[page, { ...page, after: `${FUTURE.getTime()}/x` }],
    ...[oldest, { ...oldest, after: `${PAST.getTime()}/x` }],
  ];
  return [
    () => queries.user('ann'),
    () => queries.users(page),
    () => queries.users({ ...page, after: 'f' }),
    () => queries.walletsOf('ann'),
    () => together(db),
    async () => queries.wallet((await found<WalletDoc>('wallets', ann))._id),
    async () => queries.balancesAt(await found<WalletDoc>('wallets', ann), new Date()),
    () => queries.systemWallets(),
    async () => {
      const { _id } = await found<WalletDoc>('wallets', ann);
      await queries.entriesOfWallet(_id, page);
      await queries.entriesOfWallet(_id, { ...page, after: '3' });
      await queries.entriesOfWallet(_id, { ...oldest, after: '3' });
    },
    () => queries.entriesOfOperation('op_pile', 5),
    ...pages.flatMap((one) =>
      [{}, { userId: 'ann' }].map((filter) => () => queries.entries(filter, one)),
    ),
    async () => queries.transfer((await found<TransferDoc>('transfers', trfs))._id),
    ...pages.flatMap((one) =>
      [{}, { fromUserId: 'ann' }, { toUserId: 'bob' }, { userId: 'bob' }].map(
        (filter) => () => queries.transfers(filter, one),
      ),
    ),
    () => queries.transfers({ fromUserId: 'ann', toUserId: 'bob' }, page),
    async () => queries.hold((await found<HoldDoc>('holds', ann))._id),
    ...pages.flatMap((one) =>
      [{}, { userId: 'ann' }, { userId: 'ann', status: 'open' as const }].map(
        (filter) => () => queries.holds(filter, one),
      ),
    ),
    () => holds.find(new Date(), undefined),
    () => holds.find(new Date(), { _id: 'hld_0', tenantId: TENANT, expiresAt: PAST }),
    () => lapsed(db),
  ];
}

/** Look-ups of several requests and tenants, each kind in one query. */
function together(db: Db): Promise<unknown> {
  const points = createLedgerPoints(db);
  const keys = [TENANT, 'another'].flatMap((tenantId) =>
    ['ann', 'bob'].map((id) => ({ tenantId, id })),
  );
  const kinds = [points.wallets, points.users, points.transfers, points.holds];
  return Promise.all([
    ...kinds.flatMap((kind) => keys.map((key) => kind.read(key))),
    ...keys.map((key) => points.walletsOfUsers.read(key)),
  ]);
}

/** What a settlement reads of a hold that is named, of all wallets of a user, and of lapsed ones. */
function lapsed(db: Db): Promise<unknown> {
  return createLedgerStore(db.client, db).transact(async ({ load, loadLapsed }) => {
    const owner = { tenantId: TENANT, userId: 'ann' };
    await load({
      users: new Set([`${TENANT}/ann`]),
      wallets: new Set(),
      owners: [owner, { ...owner, userId: 'bob' }],
      transfers: new Set(),
      holds: new Set(),
      stripe: 0,
    });
    const wallets = ['ann', 'bob', 'hot'].map((userId) => ({ ...owner, userId, currency: 'EUR' }));
    await loadLapsed({ wallets, until: new Date(FUTURE.getTime() - 1), stripe: 0 });
  });
}
