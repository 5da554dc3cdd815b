import { describe, expect, it } from 'vitest';
import { createGuarded } from '../../../../api/http/guesses.ts';
import { systemClock } from '../../../../core/kernel/clock.ts';
import { AppError } from '../../../../core/kernel/errors.ts';

const right = `slk_mine_${'r'.repeat(20)}`;
const wrong = `slk_mine_${'w'.repeat(20)}`;
const principal = { keyId: 'mine', tenant: { tenantId: 't', currencies: [] }, scopes: [] };

function open() {
  let nowMs = 1_000;
  let heldMs = 0;
  const guarded = createGuarded(
    {
      authenticate: (text) => {
        if (text === 'a.bad.token') throw new AppError('unauthenticated', 'no');
        return text === right ? principal : undefined;
      },
      principalOf: async () => principal,
    },
    {
      ...systemClock,
      monotonicMs: () => nowMs,
      sleep: async (ms) => {
        heldMs += ms;
        await Promise.resolve();
      },
    },
  );
  return {
    ask: async (text: string, address = '192.0.2.1'): Promise<string> => {
      try {
        return (await guarded.authenticate(text, address)) === undefined ? 'nobody' : 'in';
      } catch (error) {
        if (error instanceof AppError) return error.code;
        throw error;
      }
    },
    heldMs: () => heldMs,
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

describe('guessing the secret of a key', () => {
  it('is slowed: after ten each takes a second, and is told to come later', async () => {
    const { ask, heldMs, pass } = open();
    for (let turn = 0; turn < 10; turn += 1) expect(await ask(wrong)).toBe('unauthenticated');
    expect(heldMs()).toBe(0);
    for (let turn = 0; turn < 5; turn += 1) expect(await ask(wrong)).toBe('rate_limited');
    expect(heldMs()).toBe(5_000);
    expect(await ask(wrong, '198.51.100.7')).toBe('unauthenticated');
    pass(60_000);
    expect(await ask(wrong)).toBe('unauthenticated');
  });

  it('keeps nobody out who has it, at no time and from nowhere', async () => {
    const { ask } = open();
    for (let turn = 0; turn < 400; turn += 1) {
      await ask(wrong);
      await ask('a.bad.token');
    }
    expect(await ask(right)).toBe('in');
    expect(await ask(right, '198.51.100.7')).toBe('in');
  });

  it('counts a network of IPv6 as one', async () => {
    const { ask } = open();
    for (let turn = 0; turn < 10; turn += 1) await ask(wrong, `2001:db8:0:1::${turn}`);
    expect(await ask(wrong, '2001:db8:0:1:ffff::1')).toBe('rate_limited');
    expect(await ask(wrong, '2001:db8:0:2::1')).toBe('unauthenticated');
  });
});

it('holds so many at a time and no more, so that guesses do not pile up', async () => {
  const guarded = createGuarded(
    { authenticate: () => undefined, principalOf: async () => undefined },
    { ...systemClock, sleep: () => new Promise(() => undefined) },
  );
  const ask = async () =>
    Promise.race([
      Promise.resolve(guarded.authenticate(wrong, '192.0.2.1')).then(
        () => 'in',
        () => 'answered',
      ),
      new Promise<string>((resolve) => setImmediate(resolve, 'held')),
    ]);
  for (let turn = 0; turn < 10; turn += 1) expect(await ask()).toBe('answered');
  const held = await Promise.all(Array.from({ length: 1_000 }, ask));
  expect(new Set(held)).toEqual(new Set(['held']));
  expect(await ask()).toBe('answered');
});

it('tells very many wrong keys from one group of addresses to slow down', async () => {
  const { ask, pass } = open();
  for (let turn = 0; turn < 300; turn += 1) {
    expect(await ask(`slk_made${turn}_${'x'.repeat(20)}`)).toBe('unauthenticated');
  }
  expect(await ask(`slk_another_${'x'.repeat(20)}`)).toBe('rate_limited');
  expect(await ask('a.bad.token')).toBe('rate_limited');
  expect(await ask('a.bad.token', '198.51.100.7')).toBe('unauthenticated');
  pass(60_000);
  expect(await ask('a.bad.token')).toBe('unauthenticated');
});
