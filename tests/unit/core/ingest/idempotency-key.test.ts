import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../config/limits.ts';
import { checkIdempotencyKey } from '../../../../core/ingest/idempotency-key.ts';

const keyOf = (raw: unknown): string => {
  const checked = checkIdempotencyKey(raw);
  return checked.ok ? checked.value : checked.failure.code;
};

describe('an idempotency key', () => {
  it.each([
    ['abc', 'abc'],
    ['"abc"', 'abc'],
    ['a"b', 'a"b'],
    ['ab"', 'ab"'],
    [String.raw`"a\"b\\c"`, String.raw`a"b\c`],
    [String.raw`a\"b`, String.raw`a\"b`],
    ['two words', 'two words'],
  ])('%j is the key %j, wherever it stands', (raw, key) => {
    expect(keyOf(raw)).toBe(key);
  });

  it.each([['"abc'], ['"'], ['"a"b"'], [String.raw`"a\b"`], ['"ä"']])(
    '%j begins with a quote that does not close it: refused, not another key',
    (raw) => {
      expect(keyOf(raw)).toBe('idempotency_key_invalid');
    },
  );

  it.each([[undefined], [''], ['""']])('%j is none', (raw) => {
    expect(keyOf(raw)).toBe('idempotency_key_required');
  });

  it.each([[7], [null], ['schlüssel'], ['a\nb'], [['a']]])('%j is no key', (raw) => {
    expect(keyOf(raw)).toBe('idempotency_key_invalid');
  });

  it('may be as long as the limit and no longer, quotes left aside', () => {
    const longest = 'k'.repeat(LIMITS.idempotencyKeyCharsMax);
    expect([keyOf(longest), keyOf(`"${longest}"`)]).toEqual([longest, longest]);
    expect(keyOf(`${longest}k`)).toBe('idempotency_key_invalid');
  });

  it('is refused at the place where it stood', () => {
    for (const raw of ['"abc', undefined, 'ä']) {
      const checked = checkIdempotencyKey(raw, '/operations/3/idempotencyKey');
      if (checked.ok) throw new Error('it is no key');
      const pointers = checked.failure.errors?.map(({ pointer }) => pointer);
      expect(pointers).toEqual(['/operations/3/idempotencyKey']);
    }
    const checked = checkIdempotencyKey('"abc');
    expect(checked.ok ? [] : checked.failure.errors).toBeUndefined();
  });
});
