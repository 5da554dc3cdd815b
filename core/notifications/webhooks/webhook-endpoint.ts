import { createHash, randomBytes } from 'node:crypto';
import { LIMITS } from '../../../config/limits.ts';

export type EndpointId = `whk_${string}`;

export interface EndpointSecret {
  /** `whsec_` and base64, as Standard Webhooks has it. */
  readonly secret: string;
  readonly createdAt: Date;
  /** Of one that has been replaced: it signs until then. */
  readonly expiresAt?: Date;
}

/** Where a tenant wants its events sent. */
export interface WebhookEndpointDoc {
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
  /** Since when every attempt has failed, with no long pause in between. */
  readonly failingSince?: Date;
  /** When the last one of them failed, give or take a few minutes. */
  readonly failedAt?: Date;
  /** Its place among the tenant's: there are as many as a tenant may have. Absent in old ones. */
  readonly slot?: number;
  /** Of the request that made it: repeating that finds it. */
  readonly requestHash: string;
  /** The keys of the last rotations, the newest first: repeating one of them rotates nothing. */
  readonly rotationKeys?: readonly string[];
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
export function signingSecrets(
  { secrets }: Pick<WebhookEndpointDoc, 'secrets'>,
  now: Date,
): readonly string[] {
  return secrets
    .filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now)
    .map(({ secret }) => secret);
}

interface Rotation {
  readonly secret: string;
  readonly now: Date;
  /** For so long the one before it signs as well. */
  readonly rotationMs: number;
}

/**
 * The new secret first. The one before it goes on signing for a day, and those before that until
 * their own day is over: a receiver may know any of them. Pure.
 */
export function rotatedSecrets(
  { secrets }: Pick<WebhookEndpointDoc, 'secrets'>,
  { secret, now, rotationMs }: Rotation,
): readonly EndpointSecret[] {
  const until = new Date(now.getTime() + rotationMs);
  const old = secrets.map((one) => ({ ...one, expiresAt: one.expiresAt ?? until }));
  return [{ secret, createdAt: now }, ...old.filter(({ expiresAt }) => expiresAt > now)];
}

/** What an attempt says about its endpoint. Pure. */
export function healthOf(
  endpoint: Pick<WebhookEndpointDoc, 'failingSince' | 'failedAt'>,
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
  const { failedAt = failingSince } = endpoint;
  const pauseMs = now.getTime() - failedAt.getTime();
  // Nothing is known of a time in which nothing was sent: it counts from now on.
  if (pauseMs > LIMITS.webhookFailingPauseMsMax) return 'failing';
  if (now.getTime() - failingSince.getTime() > LIMITS.webhookFailingMsMax) return 'worn-out';
  return pauseMs > LIMITS.webhookFailingNoteMs ? 'failing' : 'same';
}
