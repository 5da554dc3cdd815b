import { hash, timingSafeEqual } from 'node:crypto';
import { newSecret, newToken } from '../kernel/ids.ts';
import type { TenantDoc, TenantScope } from '../tenants/tenant.ts';

export const SCOPES = [
  'operations:write',
  /** Answers what operations wait for: apart from asking for them. */
  'operations:approve',
  'ledger:read',
  'notifications:admin',
  'admin',
] as const;
export type Scope = (typeof SCOPES)[number];

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
  /** Of a tenant's first key: the operation that set the tenant up. */
  readonly provisionedBy?: string;
}

/** Who is calling, and for whom. */
export interface Principal {
  readonly keyId: string;
  readonly tenant: TenantScope;
  readonly scopes: readonly Scope[];
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

function hashSecret(secret: string): string {
  return hash('sha256', secret, 'base64url');
}

/** Constant time in the secret. A revoked key matches nothing. */
export function isKeyValid(key: ApiKeyDoc, secret: string): boolean {
  const presented = Buffer.from(hashSecret(secret));
  const stored = Buffer.from(key.hash);
  const isSame = presented.length === stored.length && timingSafeEqual(presented, stored);
  return isSame && key.revokedAt === undefined;
}

/**
 * Whether the tenant of a key lets it in: not before it is set up, nor after that was given up. A
 * key that a late worker stores for an operation that was given up opens nothing, also when another
 * operation has set up the same tenant since.
 */
export function isTenantOpen(
  { status = 'active', provisionedBy }: Pick<TenantDoc, 'status' | 'provisionedBy'>,
  key: Pick<ApiKeyDoc, 'provisionedBy'>,
): boolean {
  const isOfAnother = key.provisionedBy !== undefined && key.provisionedBy !== provisionedBy;
  return status === 'active' && !isOfAnother;
}

/** `admin` implies every scope. */
export function hasScope(scopes: readonly Scope[], needed: Scope): boolean {
  return scopes.includes(needed) || scopes.includes('admin');
}

interface NewApiKey {
  readonly tenantId: string;
  readonly scopes: readonly Scope[];
  readonly name: string;
  readonly at: Date;
}

/** A fresh key: the document to store, and the text that is shown once and never again. */
export function mintApiKey(options: NewApiKey): { readonly doc: ApiKeyDoc; readonly text: string } {
  const id = newToken();
  const secret = newSecret();
  return { doc: apiKeyDoc({ ...options, id, secret }), text: `slk_${id}_${secret}` };
}

export function apiKeyDoc({ id, secret, at, ...rest }: NewApiKey & ApiKeyParts): ApiKeyDoc {
  return { _id: id, hash: hashSecret(secret), createdAt: at, ...rest };
}
