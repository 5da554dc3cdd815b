import { SERVICE_CONFIG_LIMITS } from '../../../config/service-config-limits.ts';
import type { Pause } from '../../service-config/pause.ts';
import type { DeliveryDoc } from './delivery.ts';
import type { Journal } from './delivery-journal.ts';
import type { EngineDeps } from './engine-deps.ts';

/** The pause that keeps a delivery from going out, by a provider where one is named. */
export function pausedAt(
  { pauses }: Pick<EngineDeps, 'pauses'>,
  { tenantId, channel, endpointId }: DeliveryDoc,
  provider?: string,
): Pause | undefined {
  return pauses?.on({
    ...{ tenant: tenantId, channel },
    ...(endpointId !== undefined && { endpoint: endpointId }),
    ...(provider !== undefined && { provider }),
  });
}

interface PutAside {
  readonly delivery: DeliveryDoc;
  readonly pause: Pick<Pause, '_id'>;
  readonly provider?: string;
}

/**
 * It waits until the pause is over, when recovery lets it in; its own time to look again is far off. No
 * attempt is used up, and its life begins anew when it is due: nobody but us has made it late.
 */
export async function putAside(
  { metrics, random, policies }: Pick<EngineDeps, 'metrics' | 'random' | 'policies'>,
  journal: Journal,
  { delivery, pause, provider }: PutAside,
): Promise<void> {
  const { channel, tenantId } = delivery;
  metrics.deliveriesDeferred.inc({ channel, reason: 'paused' });
  const { lifeMs } = policies.of(tenantId)[channel];
  const delayMs = Math.ceil(SERVICE_CONFIG_LIMITS.pausedRecheckMs * (1 + random() / 2));
  const deferral = { code: 'paused', ...(provider !== undefined && { provider }) } as const;
  const change = { kind: 'pending', delayMs, lifeMs, deferral, pausedBy: pause._id } as const;
  await journal.write({ delivery, change: { ...change, attempts: [], used: 0 } });
}
