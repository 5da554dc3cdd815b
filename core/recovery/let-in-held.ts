import { SERVICE_CONFIG_LIMITS } from '../../config/service-config-limits.ts';
import type { LeaseStore } from '../infra/lease-store.ts';
import type { HeldDeliveriesStore } from '../notifications/delivery/held-deliveries-store.ts';
import type { DeliveryPublisher } from '../notifications/delivery/publisher.ts';
import type { HeldStore } from '../operations/held-store.ts';
import type { Lines } from '../operations/lines.ts';
import type { Pause, Pauses } from '../service-config/pause.ts';
import type { PauseStore } from '../service-config/pause-store.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface LetInDeps {
  readonly pauses: Pick<Pauses, 'active'>;
  readonly store: Pick<PauseStore, 'active' | 'end'>;
  readonly operations: HeldStore;
  readonly deliveries: HeldDeliveriesStore;
  readonly lines: Pick<Lines, 'moveOn'>;
  readonly publisher: Pick<DeliveryPublisher, 'publishDeliveries'>;
  readonly leases: Pick<LeaseStore, 'hold'>;
  readonly workerId: string;
  readonly logger: Logger;
}

const LEASE = 'pauses';
const { heldPage, heldPagesMax, letInLeaseMs } = SERVICE_CONFIG_LIMITS;

/**
 * Lets in what pauses have held back that are over: in the order in which it was accepted, at once or
 * at the pace that was asked for. To be called once a second; one process at a time does it.
 */
export async function letInHeld(deps: LetInDeps): Promise<number> {
  if (!(await deps.leases.hold(LEASE, deps.workerId, letInLeaseMs))) return 0;
  // As they are now: one that this process has not heard of yet is not over.
  const active = await deps.store.active();
  const except = active.map(({ _id }) => _id);
  let count = 0;
  for (let page = 0; page < heldPagesMax; page += 1) {
    const done = await letIn(deps, { except, limit: heldPage });
    count += done;
    if (done < heldPage) break;
  }
  for (const pause of active) {
    if (pause.resuming !== undefined) count += await letInSome(deps, pause, pause.resuming);
  }
  if (count > 0) deps.logger.info({ count }, 'pauses.let-in');
  return count;
}

/** A second's worth; with the last of them the pause is over. */
async function letInSome(
  deps: LetInDeps,
  { _id, key }: Pause,
  { perSecond }: { readonly perSecond: number },
): Promise<number> {
  const done = await letIn(deps, { pause: _id, limit: perSecond });
  if (done > 0) return done;
  await deps.store.end(_id);
  deps.logger.info({ pause: key }, 'pauses.resumed');
  return 0;
}

interface Which {
  readonly pause?: string;
  readonly except?: readonly string[];
  readonly limit: number;
}

async function letIn(deps: LetInDeps, { limit, ...which }: Which): Promise<number> {
  const operations = await deps.operations.find({ ...which, limit });
  await deps.operations.release(operations);
  await deps.lines.moveOn(operations.map(({ orderingKey }) => orderingKey));
  const left = limit - operations.length;
  if (left <= 0) return operations.length;
  const deliveries = await deps.deliveries.find({ ...which, limit: left });
  const jobs = await deps.deliveries.release(deliveries);
  if (jobs.length > 0) await deps.publisher.publishDeliveries(jobs);
  return operations.length + deliveries.length;
}
