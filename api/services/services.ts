import type { Clock } from '../../core/kernel/clock.ts';
import type { LedgerProofs } from '../../core/ledger/proof/proofs-store.ts';
import type { LedgerQueries } from '../../core/ledger/ledger-reads-store.ts';
import type { WalletCache } from '../../core/ledger/wallet-cache.ts';
import type { Registry } from '../../core/operations/define.ts';
import type { Ingest } from '../../core/ingest/submission.ts';
import type { AuditDoc } from '../../core/operations/intervention-store.ts';
import type { InterventionAction } from '../../core/operations/intervention.ts';
import type { OperationReads } from '../../core/operations/operation-reads-store.ts';
import type { QueuedReads } from '../../core/operations/queued-reads-store.ts';
import type { OperationDoc } from '../../core/operations/operation.ts';
import type { TenantScope } from '../../core/tenants/tenant.ts';
import type { AccessServices } from './access-services.ts';
import type { NotificationServices } from './notification-services.ts';
import type { PauseAdmin } from './pause-admin.ts';
import type { SettingsAdmin } from './settings-admin.ts';
import type { WaitingServices } from './waiting-services.ts';
import type { Streams } from '../realtime/realtime.ts';
import type { Graphql } from './graphql.ts';
import type { Waiters } from '../writes/outcome-waiters.ts';

/** What endpoints work with. Everything that reads or writes is made for one tenant. */
/** Proofs, and the key that their checkpoints are checked with. */
export interface SignedProofs extends LedgerProofs {
  readonly publicKey: string;
}

export interface ApiServices extends AccessServices {
  readonly registry: Registry;
  /** Some process of the installation has an address of the payment provider. */
  readonly hasProvider?: (name: string) => boolean;
  readonly ingest: Ingest;
  readonly operations: (tenant: TenantScope) => OperationReads;
  readonly ledger: (tenant: TenantScope) => LedgerQueries;
  readonly queued: (tenant: TenantScope) => QueuedReads;
  /** For requests that can do with a balance of a moment ago. */
  readonly walletCache: WalletCache;
  /** Of wallets that are read without saying how. */
  readonly readConsistency: 'strong' | 'cached';
  /** Undefined: nothing is sealed here. */
  readonly proofs: (tenant: TenantScope) => Promise<SignedProofs | undefined>;
  readonly notifications: (tenant: TenantScope) => NotificationServices;
  readonly intervene: (
    tenant: TenantScope,
    operationId: string,
    action: InterventionAction,
  ) => Promise<OperationDoc>;
  /** What people and outside systems did to an operation, oldest first. */
  readonly auditOf: (tenant: TenantScope, operationId: string) => Promise<readonly AuditDoc[]>;
  readonly settings: SettingsAdmin;
  readonly pauses: PauseAdmin;
  /** The longest that a request of the tenant may wait for an outcome. */
  readonly waitSecondsMax: (tenantId: string) => number;
  readonly waiting: WaitingServices;
  /** Questions in GraphQL. */
  readonly graphql: Graphql;
  readonly waiters: Waiters;
  readonly streams: Streams;
  readonly clock: Clock;
}

/** What endpoints work with, in the cell of a tenant. */
export interface ServicesByTenant {
  of(tenantId: string): ApiServices | Promise<ApiServices>;
}
