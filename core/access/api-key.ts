import { hash, timingSafeEqual } from 'node:crypto';
import { newSecret, newToken } from '../kernel/ids.ts';
import type { Plan } from '../../config/plan.ts';
import type { TenantDoc, TenantScope } from '../tenants/tenant.ts';
import type { Scope } from './scopes.ts';

/** A secret that a rotation has replaced, and until when it is good. */
export interface OldSecret {
  readonly hash: string;
  readonly until: Date;
}

/** A rotation whose repeats are known. */
export interface KeyRotation {
  readonly token: string;
  readonly requestHash: string;
}

/** An API key as stored: only the hash of its secret. */
export interface ApiKeyDoc {
  /** The `<id>` of `slk_<id>_<secret>`. */
  readonly _id: string;
  readonly tenantId: string;
  /** SHA-256 of the secret, base64url. The secret has 256 random bits, so no salt is needed. */
  readonly hash: string;
  readonly scopes: readonly Scope[];
  readonly name: string;
  readonly createdAt: Date;
  readonly revokedAt?: Date;
  /** From then on it opens nothing. */
  readonly expiresAt?: Date;
  /** The latest last. */
  readonly oldSecrets?: readonly OldSecret[];
  readonly rotatedAt?: Date;
  readonly rotations?: readonly KeyRotation[];
  /** To the minute. */
  readonly lastUsedAt?: Date;
  /** Who made it. */
  readonly createdBy?: string;
  /** Of the request that made it: a repeat is told from another one under the same key. */
  readonly requestHash?: string;
  /** Of a tenant's first key: the operation that set the tenant up. */
  readonly provisionedBy?: string;
}

/** Who is calling, and for whom. */
export interface Principal {
  /** Of the API key; of a token `jwt:<tenant>:<subject>`. */
  readonly keyId: string;
  readonly tenant: TenantScope;
  readonly scopes: readonly Scope[];
  /** What its tenant may use up. */
  readonly plan?: Plan;
  /** Of a key that ends. */
  readonly expiresAt?: Date;
}

const KEY = /^slk_([A-Za-z0-9]{4,32})_([A-Za-z0-9_-]{16,128})$/;

export interface ApiKeyParts {
  readonly id: string;
  readonly secret: string;
}

/** The parts of a key, or undefined when the text is not one. */
export function parseApiKey(text: string): ApiKeyParts | undefined {
  const match = KEY.exec(text);
  const [, id, secret] = match ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'base64url');
}

export type KeyVerdict = 'valid' | 'wrong' | 'revoked' | 'expired';

type Judged = Pick<ApiKeyDoc, 'hash' | 'oldSecrets' | 'revokedAt' | 'expiresAt'>;

/** Constant time in the secret. Only who knows it is told more than that it is wrong. */
export function verdictOf(key: Judged, secret: string, nowMs: number): KeyVerdict {
  const presented = Buffer.from(hashSecret(secret));
  const isKnown = isSame(presented, key.hash) || isOldSecret(key, presented, nowMs);
  if (!isKnown) return 'wrong';
  if (key.revokedAt !== undefined) return 'revoked';
  return isOver(key, nowMs) ? 'expired' : 'valid';
}

export function isOver({ expiresAt }: Pick<ApiKeyDoc, 'expiresAt'>, nowMs: number): boolean {
  return expiresAt !== undefined && expiresAt.getTime() <= nowMs;
}

function isOldSecret({ oldSecrets }: Judged, presented: Buffer, nowMs: number): boolean {
  if (oldSecrets === undefined) return false;
  return oldSecrets.some(
    ({ hash: old, until }) => until.getTime() > nowMs && isSame(presented, old),
  );
}

function isSame(presented: Buffer, hashed: string): boolean {
  const stored = Buffer.from(hashed);
  return presented.length === stored.length && timingSafeEqual(presented, stored);
}

/**
 * Whether the tenant of a key is there for it: not before it is set up, nor after that was given up.
 * A key that a late worker stores for an operation that was given up opens nothing, also when another
 * operation has set up the same tenant since. Whether the tenant may do anything is another question.
 */
export function isTenantOpen(
  { status = 'active', provisionedBy }: Pick<TenantDoc, 'status' | 'provisionedBy'>,
  key: Pick<ApiKeyDoc, 'provisionedBy'>,
): boolean {
  const isOfAnother = key.provisionedBy !== undefined && key.provisionedBy !== provisionedBy;
  return status !== 'provisioning' && status !== 'abandoned' && !isOfAnother;
}

interface NewApiKey {
  readonly tenantId: string;
  readonly scopes: readonly Scope[];
  readonly name: string;
  readonly at: Date;
  readonly expiresAt?: Date;
  readonly createdBy?: string;
  readonly requestHash?: string;
}

/** A fresh key: the document to store, and the text that is shown once and never again. */
export function mintApiKey({ id = newToken(), ...options }: NewApiKey & { readonly id?: string }): {
  readonly doc: ApiKeyDoc;
  readonly text: string;
} {
  const secret = newSecret();
  return { doc: apiKeyDoc({ ...options, id, secret }), text: textOf(id, secret) };
}

export function textOf(id: string, secret: string): string {
  return `slk_${id}_${secret}`;
}

export function apiKeyDoc({ id, secret, at, ...rest }: NewApiKey & ApiKeyParts): ApiKeyDoc {
  return { _id: id, hash: hashSecret(secret), createdAt: at, ...rest };
}
