import { hash } from 'node:crypto';
import { type JWTPayload, type JWTVerifyOptions, errors, jwtVerify } from 'jose';
import { ACCESS_LIMITS } from '../../config/access-limits.ts';
import type { Plan } from '../../config/plan.ts';
import { type Authenticator, refuseShut } from '../../core/access/api-key-cache.ts';
import { type Principal, isTenantOpen } from '../../core/access/api-key.ts';
import { createRecentMap } from '../../core/infra/recent-map.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { AppError } from '../../core/kernel/errors.ts';
import type { TenantCache } from '../../core/tenants/tenant-cache.ts';
import type { TenantDoc } from '../../core/tenants/tenant.ts';
import { type ClaimNames, type Claims, claimsOf, refused } from './claims.ts';
import type { KeySet, KeySetSource } from './key-set.ts';

export interface TokenRules {
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly algorithms: readonly string[];
  readonly toleranceSeconds: number;
  readonly claims: ClaimNames;
}

interface TokenDeps {
  readonly rules: TokenRules;
  readonly keySets: KeySetSource;
  readonly tenants: TenantCache;
  readonly plan: Plan | undefined;
  readonly clock: Clock;
}

/** A token that was good when it was checked. */
interface Checked {
  readonly claims: Claims;
  /** Until then it need not be checked again. */
  readonly untilMs: number;
  made?: { readonly of: TenantDoc; readonly principal: Principal };
}

const PREFIX = 'jwt:';

export function isTokenId(keyId: string): boolean {
  return keyId.startsWith(PREFIX);
}

/**
 * Tokens of one issuer. What was checked once is remembered for `tokenKnownMs`, and not beyond its end;
 * whether its tenant is open is looked at each time.
 *
 * `authenticate` rejects with `unauthenticated` for a token that is not good, `identity_unavailable`
 * when it cannot be told, `tenant_suspended` and `tenant_closed`.
 */
export function createTokenAuthenticator(deps: TokenDeps): Authenticator {
  const { rules, tenants, clock } = deps;
  const known = createRecentMap<Checked>(ACCESS_LIMITS.tokensKnownMax);
  /** The latest token of each subject: for what stays open under it. */
  const latest = createRecentMap<Checked>(ACCESS_LIMITS.tokensKnownMax);
  const toleranceMs = rules.toleranceSeconds * 1_000;

  const isOver = ({ claims }: Checked): boolean =>
    claims.expiresAt.getTime() + toleranceMs <= clock.now();
  const check = async (token: string): Promise<Checked> => {
    const name = hash('sha256', token, 'base64url');
    const found = known.get(name);
    if (found !== undefined && found.untilMs > clock.monotonicMs() && !isOver(found)) return found;
    const claims = claimsOf(await verified(token, deps), rules.claims);
    const checked = { claims, untilMs: clock.monotonicMs() + ACCESS_LIMITS.tokenKnownMs };
    known.set(name, checked);
    latest.set(idOf(claims), checked);
    return checked;
  };
  const admit = async (checked: Checked): Promise<Principal> => {
    const { tenantId } = checked.claims;
    const tenant = tenants.peek(tenantId) ?? (await tenants.find(tenantId));
    if (tenant === undefined || !isTenantOpen(tenant, {})) {
      throw refused('is for a tenant that is not there');
    }
    refuseShut(tenant);
    if (checked.made?.of === tenant) return checked.made.principal;
    const principal = principalIn(checked.claims, tenant, deps.plan);
    checked.made = { of: tenant, principal };
    return principal;
  };

  return Object.freeze({
    authenticate: async (token: string) => admit(await check(token)),
    principalOf: async (keyId: string) => {
      const checked = latest.get(keyId);
      if (checked === undefined || isOver(checked)) return undefined;
      try {
        return await admit(checked);
      } catch (error) {
        if (error instanceof AppError && error.retry === 'never') return undefined;
        throw error;
      }
    },
  } satisfies Authenticator);
}

function idOf({ tenantId, subject }: Claims): string {
  return `${PREFIX}${tenantId}:${subject}`;
}

function principalIn(claims: Claims, tenant: TenantDoc, fallback: Plan | undefined): Principal {
  const plan = tenant.plan ?? fallback;
  return {
    keyId: idOf(claims),
    tenant: { tenantId: tenant._id, currencies: tenant.currencies },
    scopes: claims.scopes,
    ...(plan !== undefined && { plan }),
  };
}

/** @throws AppError `unauthenticated` or `identity_unavailable`. */
async function verified(token: string, { rules, keySets, clock }: TokenDeps): Promise<JWTPayload> {
  const set = await keySets.current();
  const options = optionsOf(rules, clock);
  try {
    const payload = await verifyWith(token, set, options).catch(async (error: unknown) => {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      const newer = await keySets.newer(set);
      if (newer === undefined) throw error;
      return verifyWith(token, newer, options);
    });
    refuseFuture(payload, rules, clock);
    return payload;
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw reasonOf(error);
  }
}

function optionsOf(rules: TokenRules, clock: Clock): JWTVerifyOptions {
  return {
    issuer: rules.issuer,
    audience: [...rules.audience],
    algorithms: [...rules.algorithms],
    clockTolerance: rules.toleranceSeconds,
    currentDate: new Date(clock.now()),
    requiredClaims: ['exp', 'sub'],
  };
}

/** Where a token names no key and several fit, each is tried. */
async function verifyWith(
  token: string,
  set: KeySet,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, set, options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error) {
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (inner) {
        if (!(inner instanceof errors.JWSSignatureVerificationFailed)) throw inner;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

/** The library looks at the time of issue only where an age is limited. */
function refuseFuture({ iat }: JWTPayload, rules: TokenRules, clock: Clock): void {
  if (iat === undefined || iat <= clock.now() / 1_000 + rules.toleranceSeconds) return;
  throw refused('was issued in the future');
}

/** In words that help whoever sends a token of theirs, and tell a forger nothing. */
function reasonOf(error: unknown): AppError {
  if (error instanceof errors.JWTExpired) return refused('is expired');
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.claim === 'nbf'
      ? refused('is not valid yet')
      : refused(`has a claim that is not accepted here: \`${error.claim}\``);
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return refused('is signed with an algorithm that is not accepted here');
  }
  if (error instanceof errors.JWKSNoMatchingKey) {
    return refused('is signed with a key that its issuer does not publish');
  }
  return refused('is not valid');
}
