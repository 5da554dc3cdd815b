import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../../core/kernel/clock.ts';
import { createLogger } from '../../../../core/telemetry/logger.ts';
import { createKeySetSource } from '../../../../api/tokens/key-set.ts';
import { createTokenAuthenticator } from '../../../../api/tokens/token-authenticator.ts';
import { createTenantCache } from '../../../../core/tenants/tenant-cache.ts';
import { AppError } from '../../../../core/kernel/errors.ts';
import { AUDIENCE, ISSUER, goodClaims, newSigningKey, signed } from '../../../support/issuer.ts';

const logger = createLogger({ level: 'silent', service: 'test' });
const old = await newSigningKey('old');
const fresh = await newSigningKey('fresh');
const minute = 60_000;

/** Tokens of an issuer that may be away, in a time of our own. */
function open() {
  let nowMs = 0;
  let fetched = 0;
  let published: string | undefined = JSON.stringify({ keys: [old.jwk] });
  const clock = { ...systemClock, monotonicMs: () => nowMs };
  const fetch = async (): Promise<string> => {
    fetched += 1;
    await Promise.resolve();
    if (published === undefined) throw new Error('away');
    return published;
  };
  const tokens = createTokenAuthenticator({
    rules: {
      ...{ issuer: ISSUER, audience: [AUDIENCE], algorithms: ['ES256'], toleranceSeconds: 0 },
      claims: { tenant: 'tenant', scopes: 'scope' },
    },
    keySets: createKeySetSource({ fetch, clock, logger }),
    tenants: createTenantCache({
      find: async (_id) => ({ _id, currencies: [], createdAt: new Date(0) }),
    }),
    plan: undefined,
    clock,
  });
  let count = 0;
  return {
    /** `in`, or the code of the refusal, of a token that was never seen before. */
    ask: async (key = old, kid?: null): Promise<string> => {
      count += 1;
      try {
        await tokens.authenticate(await signed(goodClaims({ jti: String(count) }), key, kid));
        return 'in';
      } catch (error) {
        if (error instanceof AppError) return error.code;
        throw error;
      }
    },
    publish: (keys: readonly unknown[]) => {
      published = JSON.stringify({ keys });
    },
    answer: (text: string | undefined) => {
      published = text;
    },
    pass: (ms: number) => {
      nowMs += ms;
    },
    fetched: () => fetched,
  };
}

describe('the keys of an issuer', () => {
  it('are fetched once for many, and again when a token names an unknown one, with pauses', async () => {
    const { ask, publish, pass, fetched } = open();
    expect(await Promise.all([ask(), ask(), ask()])).toEqual(['in', 'in', 'in']);
    expect(fetched()).toBe(1);
    publish([old.jwk, fresh.jwk]);
    expect(await ask(fresh)).toBe('unauthenticated');
    expect(fetched()).toBe(1);
    pass(30_000);
    expect(await Promise.all([ask(fresh), ask(fresh)])).toEqual(['in', 'in']);
    expect(fetched()).toBe(2);
    const stranger = await newSigningKey('nobody');
    for (let turn = 0; turn < 50; turn += 1) expect(await ask(stranger)).toBe('unauthenticated');
    expect(fetched()).toBe(2);
  });

  it('that are withdrawn let nobody in any more', async () => {
    const { ask, publish, pass } = open();
    expect(await ask()).toBe('in');
    publish([fresh.jwk]);
    pass(11 * minute);
    await ask(fresh);
    expect(await ask()).toBe('unauthenticated');
    expect(await ask(fresh)).toBe('in');
  });

  it('are used for an hour while the issuer is away, or publishes nothing of use', async () => {
    for (const nonsense of [
      undefined,
      'a page',
      '{"keys":[]}',
      '{"keys":[{"kty":"oct","k":"AA"}]}',
    ]) {
      const { ask, answer, publish, pass } = open();
      expect(await ask()).toBe('in');
      answer(nonsense);
      for (let turn = 0; turn < 6; turn += 1) {
        pass(10 * minute);
        expect(await ask()).toBe('in');
      }
      pass(10 * minute);
      expect(await ask()).toBe('identity_unavailable');
      publish([old.jwk]);
      pass(30_000);
      expect(await ask()).toBe('in');
    }
  });

  it('that never came make tokens a matter of later, not a refusal', async () => {
    const { ask, answer, fetched } = open();
    answer(undefined);
    expect(await ask()).toBe('identity_unavailable');
    expect(await ask()).toBe('identity_unavailable');
    expect(fetched()).toBe(1);
  });

  it('without names are tried one after another, for tokens that name none', async () => {
    const { ask, publish } = open();
    const { kid: _kid, ...first } = fresh.jwk;
    const { kid: _other, ...second } = old.jwk;
    publish([first, second]);
    expect(await ask(old, null)).toBe('in');
    expect(await ask(fresh, null)).toBe('in');
    expect(await ask(await newSigningKey('nobody'), null)).toBe('unauthenticated');
  });
});
