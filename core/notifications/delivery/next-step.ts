import type { DeferralCode, DeliveryDoc, FinalStatus } from './delivery.ts';
import type { SeenDelivery } from './delivery-store.ts';
import type { Reason } from './delivery-write.ts';
import { URGENT_CATEGORY } from '../routing/event-rules.ts';
import type { UserFacts } from '../routing/facts.ts';
import type { ChannelPolicy } from '../policies.ts';
import { isWanted, quietForMs } from '../routing/preferences.ts';
import type { WebhookEndpointDoc } from '../webhooks/webhook-endpoint.ts';

/** A delivery and what has to be known before it may go out. */
export interface DeliverySnapshot extends SeenDelivery {
  readonly user?: UserFacts;
  readonly endpoint?: WebhookEndpointDoc;
  readonly isSuppressed: boolean;
  /** By the monotonic clock: when the reading began. */
  readonly readMs: number;
}

export type NextStep =
  | { readonly kind: 'idle' }
  /** Not now; nothing has to be written. */
  | { readonly kind: 'wait'; readonly ms: number }
  /** Its worker died between the claim and the journal. */
  | { readonly kind: 'take-over' }
  | { readonly kind: 'finish'; readonly status: FinalStatus; readonly reason: Reason }
  | {
      readonly kind: 'defer';
      readonly delayMs: number;
      readonly code: DeferralCode;
      /** Its life begins anew when it is due. */
      readonly lifeMs?: number;
    }
  | { readonly kind: 'send' };

/** Pure. */
export function nextStep(snapshot: DeliverySnapshot, policy: ChannelPolicy): NextStep {
  const { delivery, now } = snapshot;
  if (delivery.status === 'sending') return ofClaimed(delivery, now);
  if (delivery.status !== 'pending') return { kind: 'idle' };
  const waitMs = (delivery.notBefore?.getTime() ?? 0) - now.getTime();
  if (waitMs > 0) return { kind: 'wait', ms: waitMs };
  if (delivery.expiresAt <= now) {
    return finish('expired', 'expired', `It was of use until ${delivery.expiresAt.toISOString()}`);
  }
  const refusal = refusalOf(snapshot);
  if (refusal !== undefined) return refusal;
  const quietMs = policy.isQuiet ? quietOf(snapshot) : 0;
  return quietMs > 0 ? heldBack(snapshot, policy, quietMs) : { kind: 'send' };
}

/**
 * Quiet hours are not what a message's life is for: it begins anew when they end. Once, so that what
 * cannot be sent for another reason ends; and what is of no use by then is not held back at all.
 */
function heldBack(
  { delivery, now }: DeliverySnapshot,
  { lifeMs }: ChannelPolicy,
  quietMs: number,
): NextStep {
  const { deadline, isProlonged } = delivery;
  const untilMs = now.getTime() + quietMs;
  if (deadline !== undefined && deadline.getTime() <= untilMs) {
    const until = new Date(untilMs).toISOString();
    return finish('expired', 'quiet_hours', `The user's quiet hours go on until ${until}`);
  }
  const defer = { kind: 'defer', delayMs: quietMs, code: 'quiet_hours' } as const;
  return isProlonged === true ? defer : { ...defer, lifeMs };
}

function ofClaimed({ leaseUntil }: DeliveryDoc, now: Date): NextStep {
  const leftMs = (leaseUntil?.getTime() ?? 0) - now.getTime();
  return leftMs > 0 ? { kind: 'wait', ms: leftMs } : { kind: 'take-over' };
}

/** What its recipient has decided meanwhile. */
function refusalOf({
  delivery,
  user,
  endpoint,
  isSuppressed,
}: DeliverySnapshot): NextStep | undefined {
  const { channel, category, event } = delivery;
  if (channel === 'webhook') {
    if (endpoint === undefined) return finish('skipped', 'endpoint_gone', 'It has been removed');
    return endpoint.status === 'enabled'
      ? undefined
      : finish('skipped', 'endpoint_disabled', endpoint.disabledReason ?? 'Disabled by its owner');
  }
  if (delivery.address === '') {
    return finish('skipped', 'no_address', `There is no address for ${channel}`);
  }
  if (isSuppressed) return finish('skipped', 'suppressed', 'It is on the suppression list');
  const asked = { event: event.name, category, channel, isDefault: true };
  return isWanted(user?.notifications, asked)
    ? undefined
    : finish('skipped', 'opted_out', 'The user does not want it');
}

function quietOf({ delivery, user, now }: DeliverySnapshot): number {
  return delivery.category === URGENT_CATEGORY ? 0 : quietForMs(user?.quietHours, now);
}

function finish(status: FinalStatus, code: string, detail: string): NextStep {
  return { kind: 'finish', status, reason: { code, detail } };
}
