import { createHash } from 'node:crypto';
import { LIMITS } from '../../../config/limits.ts';
import type { DeliveryDoc } from './delivery.ts';
import type { Door } from '../admission/admission.ts';
import type { Sight } from './next-step.ts';

/** A webhook endpoint asks for itself; what all tenants share is not held for long at one's word. */
export function doorOf(
  { delivery, endpoint }: Sight,
  door: { readonly provider: { readonly name: string }; readonly breakerKey: string } & Pick<
    Door,
    'policy'
  >,
): Door {
  const { breakerKey, policy, provider } = door;
  const { channel, tenantId } = delivery;
  const hold =
    endpoint === undefined
      ? { holdKey: '', holdMsMax: LIMITS.sharedHoldMsMax }
      : { holdKey: hashOf(endpoint.url), holdMsMax: LIMITS.retryAfterMsMax };
  return { channel, provider: provider.name, breakerKey, tenantId, policy, ...hold };
}

/** The provider's key for it. What a person has sent again is to arrive, so it has one of its own. */
export function callKeyOf({ _id, resends = 0 }: DeliveryDoc): string {
  return resends === 0 ? _id : `${_id}-${resends}`;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
