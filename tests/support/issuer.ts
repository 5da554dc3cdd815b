import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type JWK, SignJWT, exportJWK, generateKeyPair } from 'jose';

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;

export interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: Pair['privateKey'];
  readonly publicKey: Pair['publicKey'];
  readonly jwk: JWK;
}

export async function newSigningKey(kid: string, alg = 'ES256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid, alg } };
}

/** An issuer of tokens, on this machine. */
export interface Issuer {
  readonly url: string;
  /** What it publishes. */
  publish(keys: readonly JWK[]): void;
  fetched(): number;
  close(): Promise<void>;
}

export async function startIssuer(): Promise<Issuer> {
  let published: readonly JWK[] = [];
  let fetched = 0;
  const server = createServer((_request, response) => {
    fetched += 1;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ keys: published }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/jwks.json`,
    publish: (keys) => {
      published = keys;
    },
    fetched: () => fetched,
    close: async () => {
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
    },
  };
}

export const ISSUER = 'https://id.example.test/';
export const AUDIENCE = 'sluice-test';

/** What a good token says; overwrite what is to be wrong. */
/** A claim that is undefined is left out. */
export type Claims = Readonly<Record<string, unknown>>;

export function goodClaims(changes: Claims = {}): Claims {
  const now = Math.floor(Date.now() / 1_000);
  return {
    ...{ iss: ISSUER, aud: AUDIENCE, sub: 'grace', iat: now, exp: now + 300 },
    ...{ tenant: 'default', scope: 'openid ledger:read operations:write:transfer' },
    ...changes,
  };
}

export function signed(claims: Claims, key: SigningKey, kid?: string | null): Promise<string> {
  const payload = Object.entries(claims).filter(([, value]) => value !== undefined);
  const { alg } = key;
  return new SignJWT(Object.fromEntries(payload))
    .setProtectedHeader(kid === null ? { alg } : { alg, kid: kid ?? key.kid })
    .sign(key.privateKey);
}
