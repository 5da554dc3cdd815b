import { type KeyObject, sign } from 'node:crypto';

export interface JwtSpec {
  readonly algorithm: 'RS256' | 'ES256';
  readonly key: KeyObject;
  readonly claims: Readonly<Record<string, string | number>>;
}

/** A signed JSON Web Token (RFC 7519) of the two kinds that push services ask for. */
export function signJwt({ algorithm, key, claims }: JwtSpec): string {
  const head = encode({ alg: algorithm, typ: 'JWT' });
  const signed = `${head}.${encode(claims)}`;
  // JWS wants r and s side by side, not DER; RSA keys do not look at it.
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

function encode(value: Readonly<Record<string, string | number>>): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
