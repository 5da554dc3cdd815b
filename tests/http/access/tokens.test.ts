import { createHmac, createPublicKey } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { expectProblem, useApi } from '../../support/api.ts';
import {
  AUDIENCE,
  type Claims,
  ISSUER,
  goodClaims,
  newSigningKey,
  signed,
  startIssuer,
} from '../../support/issuer.ts';
import { follow } from '../../support/stream-client.ts';
import { until } from '../../support/wait.ts';

const issuer = await startIssuer();
const key = await newSigningKey('first');
const rsa = await newSigningKey('second', 'RS256');
const stranger = await newSigningKey('first');
issuer.publish([key.jwk, rsa.jwk]);
afterAll(() => issuer.close());

const api = useApi({
  env: { JWT_JWKS_URL: issuer.url, JWT_ISSUER: ISSUER, JWT_AUDIENCE: ['other', AUDIENCE] },
});

const now = (): number => Math.floor(Date.now() / 1_000);
const read = (token: string) => api.ask('/v1/operations', { key: token });
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a token of the issuer', () => {
  it('lets its subject in, for its tenant and with the scopes of ours that it has', async () => {
    for (const one of [key, rsa]) {
      expect((await read(await signed(goodClaims(), one))).status).toBe(200);
    }
    const token = await signed(goodClaims({ scope: ['admin'] }), key);
    const { body } = await api.post('/v1/keys', { name: 'x', scopes: ['admin'] }, { key: token });
    expect(body.createdBy).toBe('jwt:default:grace');
    const transfer = { fromUserId: 'a', toUserId: 'b', currency: 'EUR', amount: '1' };
    const limited = await signed(goodClaims(), key);
    expect((await api.post('/v1/transfers', transfer, { key: limited })).status).toBe(202);
    expectProblem(await api.post('/v1/users', { userId: 'u' }, { key: limited }), 403, 'forbidden');
    const none = await signed(goodClaims({ scope: 'openid email' }), key);
    expectProblem(await read(none), 403, 'forbidden');
  });

  it('sees its own tenant alone, and nothing while that is shut', async () => {
    await api.newTenant('theirs');
    const claims = goodClaims({ tenant: 'theirs', scope: 'admin' });
    const token = await signed(claims, key);
    expect((await read(token)).body.items).toEqual([]);
    const path = '/v1/tenants/theirs';
    await api.ask(path, { method: 'PATCH', body: { status: 'suspended' } });
    expectProblem(await read(token), 403, 'tenant_suspended');
  });

  it('ends what is open under it', async () => {
    const token = await signed(goodClaims({ sub: 'brief', exp: now() - 27 }), key);
    const stream = await follow(`${api.url}/v1/stream`, token);
    await until(() => !stream.isOpen(), 'the stream is closed', 14_000);
    expectProblem(await read(token), 401, 'unauthenticated');
  });
});

describe('a token is refused that', () => {
  const wrong: readonly (readonly [string, Claims])[] = [
    ['is expired', { exp: now() - 31 }],
    ['is not valid yet', { nbf: now() + 400 }],
    ['was issued in the future', { iat: now() + 400 }],
    ['has no end', { exp: undefined }],
    ['is of another issuer', { iss: 'https://id.example.test' }],
    ['is for somebody else', { aud: 'another-service' }],
    ['is for nobody', { aud: undefined }],
    ['has no subject', { sub: undefined }],
    ['has a subject that breaks lines', { sub: 'a\nb' }],
    ['names no tenant', { tenant: undefined }],
    ['names several tenants', { tenant: ['default', 'other'] }],
    ['names a tenant that there is not', { tenant: 'nowhere' }],
    ['has a time that is none', { exp: 'soon' }],
  ];
  it.each(wrong)('%s', async (_what, changes) => {
    const before = await api.effects();
    const token = await signed(goodClaims({ scope: 'admin', ...changes }), key);
    const answer = await api.post('/v1/users', { userId: 'u' }, { key: token });
    expectProblem(answer, 401, 'unauthenticated');
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect(await api.effects()).toEqual(before);
  });

  it('is signed by a stranger, under a name of ours or of their own', async () => {
    for (const kid of ['first', 'third']) {
      expectProblem(await read(await signed(goodClaims(), stranger, kid)), 401, 'unauthenticated');
    }
  });

  it('is not signed at all', async () => {
    for (const alg of ['none', 'None', 'NONE']) {
      const token = `${part({ alg, kid: 'first' })}.${part(goodClaims({ scope: 'admin' }))}.`;
      expectProblem(await read(token), 401, 'unauthenticated');
    }
  });

  it('takes the public key for a shared secret', async () => {
    const pem = createPublicKey({ key: rsa.jwk, format: 'jwk' }).export({
      type: 'spki',
      format: 'pem',
    });
    const head = part({ alg: 'HS256', kid: 'second', typ: 'JWT' });
    const signing = `${head}.${part(goodClaims({ scope: 'admin' }))}`;
    for (const secret of [pem, JSON.stringify(rsa.jwk), String(rsa.jwk.n)]) {
      const mac = createHmac('sha256', secret).update(signing).digest('base64url');
      expectProblem(await read(`${signing}.${mac}`), 401, 'unauthenticated');
    }
  });

  it('was changed after it was signed, or brings its own key', async () => {
    const [head = '', body = '', mac = ''] = (await signed(goodClaims(), key)).split('.');
    const more = part(goodClaims({ scope: 'admin' }));
    for (const token of [`${head}.${more}.${mac}`, `${head}.${body}.`, `${head}.${body}`, '..']) {
      expectProblem(await read(token), 401, 'unauthenticated');
    }
    const own = part({ alg: 'ES256', kid: 'first', jwk: stranger.jwk, jku: 'http://127.0.0.1:9/' });
    expectProblem(await read(`${own}.${more}.${mac}`), 401, 'unauthenticated');
  });

  it('and all of that costs the issuer two questions at most', () => {
    expect(issuer.fetched()).toBeLessThanOrEqual(2);
  });
});
