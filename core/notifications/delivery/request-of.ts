import { createHash } from 'node:crypto';
import { LIMITS } from '../../../config/limits.ts';
import type { DeliveryDoc } from './delivery.ts';
import { URGENT_CATEGORY } from '../routing/event-rules.ts';
import type { Target } from '../admission/admission.ts';
import type { DeliverySnapshot } from './next-step.ts';

/** A webhook endpoint asks for itself; what all tenants share is not held for long at one's word. */
export function targetOf(
  { delivery, endpoint }: DeliverySnapshot,
  target: { readonly provider: { readonly name: string }; readonly breakerKey: string } & Pick<
    Target,
    'policy'
  >,
): Target {
  const { breakerKey, policy, provider } = target;
  const { channel, tenantId } = delivery;
  const hold =
    endpoint === undefined
      ? { holdKey: '', holdMsMax: LIMITS.sharedHoldMsMax }
      : { holdKey: hashOf(endpoint.url), holdMsMax: LIMITS.retryAfterMsMax };
  // What a person has sent again by itself, and not with thousands of others.
  const isManual = (delivery.resends ?? 0) > 0 && delivery.jobId === undefined;
  const isUrgent = delivery.category === URGENT_CATEGORY || isManual;
  return { channel, provider: provider.name, breakerKey, tenantId, isUrgent, policy, ...hold };
}

/** The provider's key for it. What a person has sent again is to arrive, so it has one of its own. */
export function callKeyOf({ _id, resends = 0 }: DeliveryDoc): string {
  return resends === 0 ? _id : `${_id}-${resends}`;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
