import type { EventName } from '../events/catalog.ts';
import type { OutboxRow } from '../events/outbox.ts';
import { present } from '../kernel/assert.ts';
import { newId, newToken } from '../kernel/ids.ts';
import { isSystemUser, type WalletDoc } from '../ledger/documents.ts';
import type { Drift } from '../ledger/watch/drift.ts';
import type { Ingest } from '../ingest/submission.ts';
import type { Registry } from '../operations/define.ts';
import { PLATFORM_KEY } from '../operations/operation.ts';
import type { Logger } from '../telemetry/logger.ts';

/** `freeze`: the wallet pays nobody before a person has looked at it. */
export type DriftPolicy = 'alert' | 'freeze';

interface DriftDeps {
  readonly policy: DriftPolicy;
  readonly logger: Logger;
  readonly ingest: Ingest;
  readonly registry: Registry;
  readonly databaseTime: () => Promise<{ readonly now: Date }>;
  /** Kept until it was told, by recovery. */
  readonly tell: (row: OutboxRow) => Promise<void>;
  readonly findWallet: (id: string) => Promise<WalletDoc | undefined>;
}

const DRIFT = 'ledger.drift' satisfies EventName;

/**
 * Says what the watch has found: an error in the log of the process, an event to the tenant, and by
 * policy an ordinary `wallet.update` that freezes the wallet. Where the wallet is so wrong that no
 * operation can be decided on it, that one is parked like all others, which keeps its money as well.
 */
export async function reportDrift(deps: DriftDeps, drift: Drift): Promise<void> {
  const { kind, id, tenantId, detail } = drift;
  deps.logger.error({ kind, id, tenantId, detail, policy: deps.policy }, 'ledger.drift');
  const { now } = await deps.databaseTime();
  // To whoever looks after the tenant, not to the user.
  const event = { id: newId('evt'), name: DRIFT, data: { kind, id, detail }, users: [] };
  await deps.tell({
    ...{ _id: `obx_${newToken()}_0`, tenantId, events: [event] },
    ...{ nextCheckAt: now, createdAt: now },
  });
  if (deps.policy === 'freeze' && kind === 'wallets') await freeze(deps, drift, now);
}

async function freeze(
  { ingest, registry, findWallet, logger }: DriftDeps,
  { id, tenantId }: Drift,
  now: Date,
): Promise<void> {
  const wallet = await findWallet(id);
  if (wallet === undefined || wallet.status !== 'active' || isSystemUser(wallet.userId)) return;
  const { userId, currency } = wallet;
  const submission = {
    definition: present(registry['wallet.update'], 'the type wallet.update'),
    input: { userId, currency, status: 'frozen' },
    idempotencyKey: `${PLATFORM_KEY}ledger-drift/${id}/${String(now.getTime())}`,
  };
  await ingest.submit([submission], { tenantId, correlationId: 'recovery.ledger-drift' });
  logger.warn({ walletId: id, tenantId }, 'ledger.drift.frozen');
}
