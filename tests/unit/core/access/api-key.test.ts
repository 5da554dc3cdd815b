import { describe, expect, it } from 'vitest';
import {
  apiKeyDoc,
  mintApiKey,
  parseApiKey,
  verdictOf,
  type ApiKeyDoc,
} from '../../../../core/access/api-key.ts';
import { SCOPES, hasScope } from '../../../../core/access/scopes.ts';
import { createAuthenticator } from '../../../../core/access/api-key-cache.ts';
import type { ApiKeyStore } from '../../../../core/access/api-key-store.ts';
import { systemClock } from '../../../../core/kernel/clock.ts';
import { createTenantCache } from '../../../../core/tenants/tenant-cache.ts';
import type { TenantDoc } from '../../../../core/tenants/tenant.ts';

const at = new Date(0);
const mint = () => mintApiKey({ tenantId: 'default', scopes: ['ledger:read'], name: 'n', at });

describe('an API key', () => {
  it('is an id and a secret, of which only the hash is kept', () => {
    const { doc, text } = mint();
    const { id = '', secret = '' } = parseApiKey(text) ?? {};
    expect(doc).toEqual({
      _id: id,
      tenantId: 'default',
      hash: expect.stringMatching(/^[\w-]{43}$/),
      scopes: ['ledger:read'],
      name: 'n',
      createdAt: at,
    });
    expect(JSON.stringify(doc)).not.toContain(secret);
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
    expect(verdictOf(doc, secret, 0)).toBe('valid');
  });

  it('is valid with its own secret only, and not once it is revoked', () => {
    const doc = apiKeyDoc({
      id: 'one1',
      secret: 's'.repeat(16),
      tenantId: 't',
      scopes: [],
      name: '',
      at,
    });
    expect(verdictOf(doc, 's'.repeat(16), 0)).toBe('valid');
    expect(verdictOf(doc, 's'.repeat(17), 0)).toBe('wrong');
    expect(verdictOf({ ...doc, hash: '' }, 's'.repeat(16), 0)).toBe('wrong');
    expect(verdictOf({ ...doc, revokedAt: at }, 's'.repeat(16), 0)).toBe('revoked');
  });

  it.each([
    '',
    'slk_',
    'slk_abcd',
    `slk_abc_${'x'.repeat(16)}`,
    `slk_ab cd_${'x'.repeat(16)}`,
    `slk_abcd_${'x'.repeat(15)}`,
    `slk_abcd_${'x'.repeat(129)}`,
    `sk_abcd_${'x'.repeat(16)}`,
    `slk_abcd_${'x'.repeat(16)}\n`,
  ])('is not %j', (text) => {
    expect(parseApiKey(text)).toBeUndefined();
  });

  it('with the scope admin has every scope, and no other has it', () => {
    for (const scope of SCOPES) {
      expect(hasScope(['admin'], scope)).toBe(true);
      expect(hasScope([scope], scope)).toBe(true);
      const others = SCOPES.filter((one) => one !== scope && one !== 'admin');
      expect(hasScope(others, scope)).toBe(false);
    }
  });
});

describe('the authenticator', () => {
  const scope = { _id: 'default', currencies: ['GOLD'], createdAt: at };

  /** A store that counts its look-ups and answers when told to. */
  function open(known: readonly ApiKeyDoc[], tenant: TenantDoc = scope) {
    let lookups = 0;
    const byId = new Map(known.map((key) => [key._id, key]));
    const keys: Pick<ApiKeyStore, 'findMany'> = {
      findMany: async (ids) => {
        lookups += ids.length;
        await Promise.resolve();
        return ids.flatMap((id) => byId.get(id) ?? []);
      },
    };
    const authenticator = createAuthenticator({
      keys,
      tenants: createTenantCache({ find: async () => tenant }),
      databaseTime: async () => ({ now: at }),
      clock: systemClock,
    });
    return { authenticator, lookups: () => lookups };
  }

  it('looks a key up once, however many requests come with it', async () => {
    const { doc, text } = mint();
    const { authenticator, lookups } = open([doc]);
    const found = await Promise.all(
      [text, text, text].map(async (key) => authenticator.authenticate(key)),
    );
    expect(found.map((one) => one?.tenant)).toEqual(
      Array(3).fill({ tenantId: 'default', currencies: ['GOLD'] }),
    );
    expect(authenticator.authenticate(text)).toMatchObject({ keyId: doc._id });
    expect(lookups()).toBe(1);
  });

  it('remembers ids that do not exist, without losing those that do', async () => {
    const { doc, text } = mint();
    const { authenticator, lookups } = open([doc]);
    await authenticator.authenticate(text);
    for (let guess = 0; guess < 3_000; guess += 1) {
      const key = `slk_guess${guess}_${'x'.repeat(16)}`;
      expect(await authenticator.authenticate(key)).toBeUndefined();
    }
    expect(await authenticator.authenticate(`slk_guess2999_${'x'.repeat(16)}`)).toBeUndefined();
    expect(authenticator.authenticate(text)).toMatchObject({ keyId: doc._id });
    expect(lookups()).toBe(3_001);
  });

  it.each([
    ['is being set up', { status: 'provisioning', provisionedBy: 'op_a' }, 'op_a'],
    ['was given up', { status: 'abandoned', provisionedBy: 'op_a' }, 'op_a'],
    ['was set up by another operation since', { status: 'active', provisionedBy: 'op_b' }, 'op_a'],
    ['was given up, by a key made by hand', { status: 'abandoned', provisionedBy: 'op_a' }, ''],
  ] as const)('lets nobody into a tenant that %s', async (_what, tenant, provisionedBy) => {
    const { doc, text } = mint();
    const key = provisionedBy === '' ? doc : { ...doc, provisionedBy };
    const { authenticator } = open([key], { ...scope, ...tenant });
    expect(await authenticator.authenticate(text)).toBeUndefined();
    expect(await authenticator.authenticate(text)).toBeUndefined(); // from memory
    expect(await authenticator.principalOf(doc._id)).toBeUndefined();
  });

  it('lets the keys of a tenant in that is set up, the first one and later ones', async () => {
    const tenant = { ...scope, status: 'active', provisionedBy: 'op_a' } as const;
    const [first, later] = [mint(), mint()];
    const { authenticator } = open([{ ...first.doc, provisionedBy: 'op_a' }, later.doc], tenant);
    expect(await authenticator.authenticate(first.text)).toMatchObject({ keyId: first.doc._id });
    expect(await authenticator.authenticate(later.text)).toMatchObject({ keyId: later.doc._id });
  });

  it('refuses a wrong secret from memory', async () => {
    const { doc, text } = mint();
    const { authenticator, lookups } = open([doc]);
    await authenticator.authenticate(text);
    expect(authenticator.authenticate(`slk_${doc._id}_${'x'.repeat(43)}`)).toBeUndefined();
    expect(lookups()).toBe(1);
  });
});
