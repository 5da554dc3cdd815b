import type { Env } from '../../config/env.ts';
import { TOKEN_DEFAULTS } from '../../config/access-env.ts';
import { ACCESS_LIMITS } from '../../config/access-limits.ts';
import type { Authenticator, KeyCache } from '../../core/access/api-key-cache.ts';
import { createHttpClient } from '../../core/outbound/http-client.ts';
import type { TenantCache } from '../../core/tenants/tenant-cache.ts';
import type { Platform } from '../../runtime/platform.ts';
import { createKeySetSource } from './key-set.ts';
import { createTokenAuthenticator, isTokenId } from './token-authenticator.ts';

/** Tokens of the issuer that the environment names; undefined: it names none. */
export function openTokens(platform: Platform, tenants: TenantCache): Authenticator | undefined {
  const { env, clock, logger, lifecycle } = platform;
  const { JWT_JWKS_URL: address, JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = env;
  if (address === undefined || issuer === undefined || audience === undefined) return undefined;
  const http = createHttpClient({ keepAlive: false });
  lifecycle.onClose('issuer of tokens', () => {
    http.close();
  });
  const keySets = createKeySetSource({ fetch: () => fetchText(http, address), clock, logger });
  const rules = { issuer, audience, ...rulesOf(env) };
  return createTokenAuthenticator({ rules, keySets, tenants, plan: env.DEFAULT_PLAN, clock });
}

function rulesOf(env: Env) {
  const { algorithms, tenantClaim, scopesClaim, toleranceSeconds } = TOKEN_DEFAULTS;
  return {
    algorithms: env.JWT_ALGORITHMS ?? algorithms,
    toleranceSeconds: env.JWT_CLOCK_TOLERANCE_SECONDS ?? toleranceSeconds,
    claims: {
      tenant: env.JWT_TENANT_CLAIM ?? tenantClaim,
      scopes: env.JWT_SCOPES_CLAIM ?? scopesClaim,
    },
  };
}

async function fetchText(
  http: Pick<ReturnType<typeof createHttpClient>, 'get'>,
  address: string,
): Promise<string> {
  const signal = AbortSignal.timeout(ACCESS_LIMITS.jwksAnswerMs);
  const headers = { accept: 'application/json' };
  const reply = await http.get({ url: new URL(address), headers, signal });
  if (reply.kind === 'failed') throw new Error(`the keys of tokens: ${reply.detail}`);
  if (reply.status !== 200) throw new Error(`the keys of tokens: status ${reply.status}`);
  return reply.text;
}

/** Either kind of what a client may send as its bearer. */
export function createBearers(keys: KeyCache, tokens: Authenticator | undefined): Authenticator {
  if (tokens === undefined) return keys;
  return Object.freeze({
    authenticate: (text: string) =>
      text.startsWith('slk_') ? keys.authenticate(text) : tokens.authenticate(text),
    principalOf: (keyId: string) =>
      isTokenId(keyId) ? tokens.principalOf(keyId) : keys.principalOf(keyId),
  } satisfies Authenticator);
}
