import { createHash, randomBytes } from 'node:crypto';
import { LIMITS } from '../../config/limits.ts';

export type EndpointId = `whk_${string}`;

export interface EndpointSecret {
  /** `whsec_` and base64, as Standard Webhooks has it. */
  readonly secret: string;
  readonly createdAt: Date;
  /** Of one that has been replaced: it signs until then. */
  readonly expiresAt?: Date;
}

/** Where a tenant wants its events sent. */
export interface EndpointDoc {
  readonly _id: EndpointId;
  readonly tenantId: string;
  readonly url: string;
  /** `*`, `transfer.*`, `transfer.settled`. */
  readonly events: readonly string[];
  readonly description?: string;
  readonly status: 'enabled' | 'disabled';
  /** Why we disabled it; absent when its owner did. */
  readonly disabledReason?: string;
  /** The newest first. */
  readonly secrets: readonly EndpointSecret[];
  /** Since when every attempt has failed. */
  readonly failingSince?: Date;
  /** Of the request that made it: repeating that finds it. */
  readonly requestHash: string;
  /** The key of the last rotation: repeating that request rotates nothing. */
  readonly rotationKey?: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** 32 random bytes; the standard asks for 24 to 64. */
export function newEndpointSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

/** From the idempotency key, so that a repeated request makes no second endpoint. */
export function endpointIdOf(tenantId: string, idempotencyKey: string): EndpointId {
  const hash = createHash('sha256').update(`${tenantId}\n${idempotencyKey}`).digest('hex');
  return `whk_${hash.slice(0, 32)}`;
}

/** The secrets that sign now, newest first. Pure. */
export function signingSecrets({ secrets }: EndpointDoc, now: Date): readonly string[] {
  return secrets
    .filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now)
    .map(({ secret }) => secret);
}

/** The new secret first; the old one goes on signing for a day, the one before it no longer. Pure. */
export function rotatedSecrets(
  { secrets }: EndpointDoc,
  secret: string,
  now: Date,
): readonly EndpointSecret[] {
  const [current] = secrets;
  const fresh = { secret, createdAt: now };
  if (current === undefined) return [fresh];
  const expiresAt = new Date(now.getTime() + LIMITS.webhookRotationMs);
  return [fresh, { ...current, expiresAt }];
}

/** What an attempt says about its endpoint. Pure. */
export function healthOf(
  endpoint: Pick<EndpointDoc, 'failingSince'>,
  {
    isGood,
    isGone,
    now,
  }: { readonly isGood: boolean; readonly isGone: boolean; readonly now: Date },
): 'same' | 'healthy' | 'failing' | 'gone' | 'worn-out' {
  const { failingSince } = endpoint;
  if (isGood) return failingSince === undefined ? 'same' : 'healthy';
  if (isGone) return 'gone';
  if (failingSince === undefined) return 'failing';
  const failingMs = now.getTime() - failingSince.getTime();
  return failingMs > LIMITS.webhookFailingMsMax ? 'worn-out' : 'same';
}
