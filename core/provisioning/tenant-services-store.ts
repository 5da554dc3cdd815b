import type { Db } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { type DatabaseRole, collection } from '../infra/collections.ts';
import { faultOf } from '../infra/database-errors.ts';
import { ensureCollections } from '../infra/schema.ts';
import type { Clock } from '../kernel/clock.ts';
import { createGroup } from '../kernel/group.ts';
import { SYSTEM_WALLETS, type WalletDoc, systemUserId } from '../ledger/documents.ts';
import { openWallet } from '../ledger/wallet.ts';
import type {
  FirstKey,
  NewTenant,
  TenantPolicies,
  TenantPolicy,
  TenantSetup,
} from '../operations/services.ts';
import type { ApiKeyDoc } from '../access/api-key.ts';
import type { TenantDoc } from '../tenants/tenant.ts';

/** What setting up a tenant adds to its document. */
interface ProvisionedTenant extends TenantDoc {
  readonly policies?: readonly TenantPolicy[];
}

export function createTenantPolicies(db: Db): TenantPolicies {
  const tenants = collection<ProvisionedTenant>(db, 'tenants');
  // Read, not remembered: a limit holds from when it is set. Those who look at once share a read.
  const reads = createGroup<string, readonly TenantPolicy[]>({
    sizeMax: LIMITS.policyReadsMax,
    inFlightMax: LIMITS.policyReadSlots,
    run: async (ids) => {
      const found = await tenants
        .find(
          { _id: { $in: [...new Set(ids)] } },
          { maxTimeMS: LIMITS.mongoMaxTimeMs, projection: { policies: 1 } },
        )
        .toArray();
      const byId = new Map(found.map(({ _id, policies = [] }) => [_id, policies]));
      return ids.map((id) => byId.get(id) ?? []);
    },
  });
  return Object.freeze({
    find: async (tenantId: string, currency: string) =>
      (await reads.add(tenantId)).find((policy) => policy.currency === currency),
  });
}

/** Gives a tenant its first policies; one that has some keeps them. */
export async function ensureTenantPolicies(
  db: Db,
  tenantId: string,
  policies: readonly TenantPolicy[],
): Promise<void> {
  await collection<ProvisionedTenant>(db, 'tenants').updateOne(
    { _id: tenantId, policies: { $exists: false } },
    { $set: { policies } },
  );
}

/** The database that a tenant's work stands in: with all others, or by itself. */
interface TenantHome {
  readonly db: Db;
  readonly role: DatabaseRole;
}

/** Every write is keyed by the operation, so that repeats and late attempts change nothing. */
export function createTenantSetup(
  db: Db,
  clock: Clock,
  homeOf: (tenantId: string) => TenantHome = () => ({ db, role: 'all' }),
): TenantSetup {
  const tenants = collection<ProvisionedTenant>(db, 'tenants');
  const keys = collection<ApiKeyDoc>(db, 'api_keys');
  const at = (): Date => new Date(clock.now());

  const openSystemWallets = async (
    { db: home }: TenantHome,
    { tenantId, currencies }: { readonly tenantId: string; readonly currencies: readonly string[] },
  ) => {
    const fresh = SYSTEM_WALLETS.flatMap((name) =>
      currencies.map((currency) =>
        openWallet({
          tenantId,
          userId: systemUserId(name, 0),
          currency,
          overdraftLimit: 0n,
          ownerBlocked: false,
          at: at(),
        }),
      ),
    );
    if (fresh.length === 0) return;
    await collection<WalletDoc>(home, 'wallets').bulkWrite(
      fresh.map(({ _id, ...rest }) => ({
        updateOne: { filter: { _id }, update: { $setOnInsert: rest }, upsert: true },
      })),
      { ordered: false },
    );
  };

  const isOurs = async ({ tenantId, operationId }: NewTenant): Promise<boolean> => {
    const status = { $ne: 'abandoned' as const };
    const found = await tenants.countDocuments({
      _id: tenantId,
      provisionedBy: operationId,
      status,
    });
    return found > 0;
  };
  const revokeKeysOf = async ({ tenantId, operationId }: NewTenant): Promise<void> => {
    const open = { tenantId, provisionedBy: operationId, revokedAt: { $exists: false } };
    await keys.updateMany(open, { $set: { revokedAt: at() } });
  };

  return Object.freeze({
    reserve: async ({ tenantId, currencies, operationId }: NewTenant) => {
      const fresh = { currencies, provisionedBy: operationId, status: 'provisioning' as const };
      try {
        await tenants.insertOne({ _id: tenantId, ...fresh, createdAt: at() });
        return true;
      } catch (error) {
        if (faultOf(error) !== 'duplicate-key') throw error;
      }
      // An id given up by another operation is free again; one given up by this one is not.
      const taken = await tenants.findOneAndUpdate(
        { _id: tenantId, status: 'abandoned', provisionedBy: { $ne: operationId } },
        { $set: { ...fresh, createdAt: at() } },
        { returnDocument: 'after' },
      );
      const current = taken ?? (await tenants.findOne({ _id: tenantId }));
      return current?.provisionedBy === operationId && current.status !== 'abandoned';
    },
    prepareDatabase: async (tenantId: string) => {
      const home = homeOf(tenantId);
      await ensureCollections(home.db, clock, home.role);
      const tenant = await tenants.findOne({ _id: tenantId });
      await openSystemWallets(home, { tenantId, currencies: tenant?.currencies ?? [] });
    },
    addKey: async (tenant: NewTenant, key: FirstKey) => {
      if (!(await isOurs(tenant))) return false;
      const { tenantId, operationId } = tenant;
      const name = 'first';
      const rest = { tenantId, hash: key.hash, scopes: ['admin'] as const, name, createdAt: at() };
      const stored = await keys.findOneAndUpdate(
        { _id: key.id },
        { $setOnInsert: { ...rest, provisionedBy: operationId } },
        { upsert: true, returnDocument: 'after' },
      );
      if (stored?.tenantId !== tenantId || stored.hash !== key.hash) return false;
      if (await isOurs(tenant)) return stored.revokedAt === undefined;
      // Given up while the key was on its way: whoever gave it up may have looked before it came.
      await revokeKeysOf(tenant);
      return false;
    },
    activate: async ({ tenantId, operationId }: NewTenant) => {
      await tenants.updateOne(
        { _id: tenantId, provisionedBy: operationId, status: 'provisioning' },
        { $set: { status: 'active' } },
      );
    },
    abandon: async ({ tenantId, currencies, operationId }: NewTenant) => {
      const tombstone = { currencies, provisionedBy: operationId, createdAt: at() };
      try {
        await tenants.updateOne(
          { _id: tenantId, provisionedBy: operationId },
          {
            $set: { status: 'abandoned' },
            $setOnInsert: { currencies, createdAt: tombstone.createdAt },
          },
          { upsert: true },
        );
      } catch (error) {
        // Somebody else's tenant stands there: nothing of ours to give up, and no way in for us.
        if (faultOf(error) !== 'duplicate-key') throw error;
      }
      await revokeKeysOf({ tenantId, currencies, operationId });
    },
  } satisfies TenantSetup);
}
