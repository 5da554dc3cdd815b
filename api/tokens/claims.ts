import type { JWTPayload } from 'jose';
import { AppError } from '../../core/kernel/errors.ts';
import { type Scope, isScope } from '../../core/access/scopes.ts';

/** Where a token says whose it is and what it may do. */
export interface ClaimNames {
  readonly tenant: string;
  readonly scopes: string;
}

/** A token that was checked, as far as it goes without us. */
export interface Claims {
  readonly subject: string;
  readonly tenantId: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt: Date;
}

const SUBJECT = /^[\x20-\x7e]{1,255}$/;
const TENANT = /^[\x21-\x7e]{1,100}$/;
const SCOPES_MAX = 100;

/** @throws AppError `unauthenticated` when something is missing. Pure. */
export function claimsOf(payload: JWTPayload, names: ClaimNames): Claims {
  const { sub = '', exp } = payload;
  const tenantId = claimAt(payload, names.tenant);
  if (exp === undefined) throw refused('has no end');
  if (!SUBJECT.test(sub)) throw refused('names nobody that can be written down (`sub`)');
  if (typeof tenantId !== 'string' || !TENANT.test(tenantId)) {
    throw refused(`names no tenant (\`${names.tenant}\`)`);
  }
  return {
    subject: sub,
    tenantId,
    scopes: scopesIn(claimAt(payload, names.scopes)),
    expiresAt: new Date(exp * 1_000),
  };
}

export function refused(what: string): AppError {
  return new AppError('unauthenticated', `The token ${what}`);
}

/** Words with spaces between them, or a list. What is none of our scopes is somebody else's. */
function scopesIn(claim: unknown): readonly Scope[] {
  const words: readonly unknown[] =
    typeof claim === 'string' ? claim.split(' ') : Array.isArray(claim) ? claim : [];
  const ours = words.filter((word): word is Scope => typeof word === 'string' && isScope(word));
  return [...new Set(ours)].slice(0, SCOPES_MAX);
}

/** By its whole name, else by a path of names: `https://x/tenant`, `realm_access.roles`. */
function claimAt(payload: JWTPayload, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name];
  return name.split('.').reduce<unknown>((value, part) => {
    const isThere = typeof value === 'object' && value !== null && Object.hasOwn(value, part);
    return isThere ? Reflect.get(value, part) : undefined;
  }, payload);
}
