import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Endpoint } from '../../../api/http/endpoint.ts';
import { KEYED_ENDPOINTS } from '../../../api/routes/index.ts';
import { openStream } from '../../../api/routes/stream/open-stream.ts';
import { COLLECTIONS } from '../../../core/infra/collections.ts';
import { SCOPES, type Scope } from '../../../core/access/scopes.ts';
import { type Answer, freshKey, useApi } from '../../support/api.ts';
import { bodyFor, samplePath } from '../../support/endpoint-calls.ts';
import { type Sample, makeSample } from '../../support/http-fixtures.ts';
import {
  AUDIENCE,
  type Claims,
  ISSUER,
  goodClaims,
  newSigningKey,
  signed,
  startIssuer,
} from '../../support/issuer.ts';

/** Every endpoint, for everybody who has no business with the default tenant's things. */
const issuer = await startIssuer();
const signer = await newSigningKey('signer');
issuer.publish([signer.jwk]);
afterAll(() => issuer.close());

const api = useApi({
  worker: true,
  tuning: { guesses: { guessesOfKey: 10_000, guessesOfGroup: 10_000 } }, // slowing has its own test
  env: { JWT_JWKS_URL: issuer.url, JWT_ISSUER: ISSUER, JWT_AUDIENCE: [AUDIENCE] },
});

interface Caller {
  readonly name: string;
  /** What it sends; null: nothing. Called for each cell. */
  readonly key: () => string | null;
  /** Always refused like this; else by its scopes. */
  readonly refused?: readonly [status: number, code: string];
  readonly scopes?: readonly Scope[];
}

let sample: Sample;
let callers: readonly Caller[] = [];
let turn = 0;

const NOBODY = [401, 'unauthenticated'] as const;
const secretOf = (length: number): string => 'x'.repeat(length);

async function makeCallers(): Promise<readonly Caller[]> {
  for (const tenant of ['other', 'paused', 'gone']) await api.newTenant(tenant);
  const ours = (scopes: readonly Scope[], tenantId = 'other') => api.newKey({ tenantId, scopes });
  const token = (claims: Claims) => signed(goodClaims({ scope: 'admin', ...claims }), signer);
  const made = async (body = { name: 'x', scopes: ['admin'] }) =>
    (await api.post('/v1/keys', body)).body as { readonly id: string; readonly key: string };
  const [revoked, rotated, brief] = [await made(), await made(), await made()];
  await api.ask(`/v1/keys/${revoked.id}`, { method: 'DELETE' });
  await api.post(`/v1/keys/${rotated.id}/rotate`, { graceSeconds: 0 });
  const expiresAt = new Date(0);
  await api.db
    .collection('api_keys')
    .updateOne({ _id: brief.id as never }, { $set: { expiresAt } });
  const targets = await Promise.all(Array.from({ length: 20 }, () => ours(['admin'], 'default')));
  const shut = { paused: await ours(['admin'], 'paused'), gone: await ours(['admin'], 'gone') };
  const pausedToken = await token({ tenant: 'paused' });
  const change = { method: 'PATCH' };
  await api.ask('/v1/tenants/paused', { ...change, body: { status: 'suspended' } });
  await api.ask('/v1/tenants/gone', { ...change, body: { status: 'closed' } });
  const next = (): number => (turn += 1);
  const sets: readonly (readonly Scope[])[] = [
    ...SCOPES.map((scope) => [scope]),
    ['operations:write:transfer'],
    ['operations:write:hold.*', 'ledger:read'],
  ];
  const scoped = await Promise.all(
    sets.map(async (scopes): Promise<Caller> => {
      const key = await ours(scopes);
      return { name: `another tenant's ${scopes.join(' ')}`, key: () => key, scopes };
    }),
  );
  const fixed = (name: string, key: string | null, refused: Caller['refused']): Caller => ({
    name,
    key: () => key,
    ...(refused !== undefined && { refused }),
  });
  const tokenOf = async (name: string, claims: Claims): Promise<Caller> =>
    fixed(name, await token(claims), NOBODY);
  const admin = await token({ tenant: 'other' });
  return [
    fixed('nobody', null, NOBODY),
    { name: 'a made-up key', key: () => `slk_made${next()}_${secretOf(43)}`, refused: NOBODY },
    {
      name: 'a wrong secret of a key that there is',
      key: () => `slk_${targets[next() % 20]?.split('_')[1] ?? ''}_${secretOf(43)}`,
      refused: NOBODY,
    },
    fixed('a revoked key', revoked.key, NOBODY),
    fixed('the old secret of a rotated key', rotated.key, NOBODY),
    fixed('an expired key', brief.key, NOBODY),
    await tokenOf('an expired token', { exp: 1_700_000_000 }),
    await tokenOf('a token for another service', { aud: 'mail' }),
    fixed('a suspended tenant', shut.paused, [403, 'tenant_suspended']),
    fixed('a token of a suspended tenant', pausedToken, [403, 'tenant_suspended']),
    fixed('a closed tenant', shut.gone, [403, 'tenant_closed']),
    ...scoped,
    { name: "another tenant's token", key: () => admin, scopes: ['admin'] },
  ];
}

beforeAll(async () => {
  sample = await makeSample(api);
  callers = await makeCallers();
}, 60_000);

async function call(endpoint: Endpoint, key: string | null): Promise<Answer> {
  const isWrite = endpoint.method !== 'GET' && endpoint.method !== 'DELETE';
  return api.ask(samplePath(endpoint, sample), {
    method: endpoint.method,
    key,
    ...(isWrite && { body: bodyFor(endpoint), headers: { 'idempotency-key': freshKey() } }),
  });
}

/** All that is the default tenant's, but for when its keys were used. */
async function stateOfDefault(): Promise<string> {
  const digest = createHash('sha256');
  for (const name of Object.keys(COLLECTIONS)) {
    if (['workers', 'leases'].includes(name)) continue;
    const filter = name === 'tenants' ? { _id: 'default' as never } : { tenantId: 'default' };
    const found = api.db.collection(name).find(filter, { projection: { lastUsedAt: 0 } });
    digest.update(name + JSON.stringify(await found.sort({ _id: 1 }).toArray()));
  }
  return digest.digest('hex');
}

/** `KEYED_ENDPOINTS` are those that have one. */
function scopeOf({ scope }: Endpoint): Scope {
  if (scope === 'none') throw new Error('an endpoint that needs no key');
  return scope;
}

/** By the reference's words, not by the code that is tested. */
function isGiven(scopes: readonly Scope[], needed: Scope): boolean {
  return scopes.includes(needed) || scopes.includes('admin');
}

/** What is wrong with an answer, or undefined. */
function faultOf(endpoint: Endpoint, caller: Caller, answer: Answer): string | undefined {
  const { status, body } = answer;
  const said = `${status} ${String(body?.code)}`;
  if (caller.refused !== undefined) {
    const [wanted, code] = caller.refused;
    return said === `${wanted} ${code}` ? undefined : said;
  }
  return faultOfStranger(endpoint, caller.scopes ?? [], answer);
}

function faultOfStranger(
  endpoint: Endpoint,
  scopes: readonly Scope[],
  { status, body, text }: Answer,
): string | undefined {
  const said = `${status} ${String(body?.code)}`;
  const isIn =
    isGiven(scopes, scopeOf(endpoint)) ||
    (endpoint.isByType && scopes.some((one) => one.startsWith('operations:write')));
  if (!isIn) return said === '403 forbidden' ? undefined : said;
  const fits = OWN.find(([prefix]) => endpoint.path.startsWith(prefix))?.[1];
  if (fits !== undefined) return fits.includes(status) ? undefined : said;
  return faultOfThing(endpoint, { status, text }, said);
}

/** What is no tenant's (tests/http/settings), and what is the caller's own, where nothing is yet. */
const OWN: readonly (readonly [prefix: string, statuses: readonly number[]])[] = [
  ['/v1/settings/', [200, 400]],
  ['/v1/ledger/', [400, 409]],
];

function faultOfThing(
  endpoint: Endpoint,
  { status, text }: Pick<Answer, 'status' | 'text'>,
  said: string,
): string | undefined {
  // Another tenant's hold may be named: that it is not theirs shows when it is settled.
  if (endpoint.path.includes(':') && status === 202) return undefined;
  if (endpoint.path.includes(':')) return status === 404 || status === 403 ? undefined : said;
  if (endpoint.method !== 'GET') return [400, 403].includes(status) ? undefined : said;
  const { apiKeyId, creditId, walletId, holdId, transferId } = sample;
  const theirs = [apiKeyId, creditId, walletId, holdId, transferId];
  const leaked = theirs.filter((id) => text.includes(id));
  return status === 200 && leaked.length === 0 ? undefined : `${said}: ${leaked.join(' ')}`;
}

it('lets nobody see or do anything that is not theirs', async () => {
  const cells = KEYED_ENDPOINTS.flatMap((endpoint) =>
    callers.map((caller) => ({ endpoint, caller })),
  );
  // An event stream that opens never ends; that it shows its own tenant's events alone: realtime.
  const asked = cells.filter(
    ({ endpoint, caller: { scopes } }) =>
      endpoint !== openStream || scopes === undefined || !isGiven(scopes, scopeOf(endpoint)),
  );
  const before = await stateOfDefault();
  const faults: string[] = [];
  const todo = [...asked];
  const work = async (): Promise<void> => {
    for (let cell = todo.pop(); cell !== undefined; cell = todo.pop()) {
      const { endpoint, caller } = cell;
      const fault = faultOf(endpoint, caller, await call(endpoint, caller.key()));
      if (fault === undefined) continue;
      faults.push(`${endpoint.method} ${endpoint.path} by ${caller.name}: ${fault}`);
    }
  };
  await Promise.all(Array.from({ length: 12 }, work));
  expect(faults).toEqual([]);
  expect(await stateOfDefault()).toBe(before);
  console.info(
    `${asked.length} cells: ${KEYED_ENDPOINTS.length} endpoints, ${callers.length} callers`,
  );
  expect(asked.length).toBeGreaterThan(1_000);
}, 60_000);
