import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { parseJson } from '../../../../api/http/json.ts';
import { LIMITS } from '../../../../config/limits.ts';
import { AppError } from '../../../../core/kernel/errors.ts';

function refusal(text: string, prefix?: string): readonly [string, string | undefined] {
  try {
    parseJson(text, prefix);
  } catch (error) {
    if (error instanceof AppError) return [error.code, error.errors?.[0]?.pointer];
    throw error;
  }
  throw new Error('was not refused');
}

const many = (members: number): string =>
  JSON.stringify(Object.fromEntries(Array.from({ length: members }, (_, index) => [index, 1])));
const arrays = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const objects = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

describe('parseJson', () => {
  it('gives back what was written', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = JSON.stringify(value);
        if (/"__proto__":/.test(text) || /\\ud[89a-f]/i.test(text)) return;
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 300 },
    );
  });

  it('says where the text stops being JSON', () => {
    expect(() => parseJson('{"a": 1,}')).toThrow(/at character 8/);
    expect(refusal('{"a": 1,}', '/3')).toEqual(['invalid_json', '/3']);
  });

  it.each(['', ' ', 'nul', "{'a':1}", '[1,]', '{"a":01}', '\ufeff{}', 'undefined', '1 2'])(
    'refuses %j',
    (text) => {
      expect(refusal(text)).toEqual(['invalid_json', '']);
    },
  );

  it('allows nesting up to the limit and names the first level beyond it', () => {
    const max = LIMITS.jsonDepthMax;
    expect(() => parseJson(arrays(max))).not.toThrow();
    expect(() => parseJson(objects(max))).not.toThrow();
    expect(refusal(arrays(max + 1))).toEqual(['too_deep', '/0'.repeat(max)]);
    expect(refusal(objects(max + 1))).toEqual(['too_deep', '/a'.repeat(max)]);
    expect(refusal(arrays(200_000))[0]).toBe('too_deep');
  });

  it.each([
    ['{"__proto__": {}}', '/__proto__'],
    ['{"a": [1, {"__proto__": 1}]}', '/a/1/__proto__'],
    ['{"\\u005f_proto__": 1}', '/__proto__'],
  ])('refuses the key __proto__ in %s', (text, pointer) => {
    expect(refusal(text)).toEqual(['invalid_request', pointer]);
  });

  it.each([
    ['"\\ud800"', ''],
    ['{"a/b": ["x", "\\udc00x"]}', '/a~1b/1'],
    ['{"\\ud83d": 1}', ''],
  ])('refuses half a surrogate pair in %s', (text, pointer) => {
    expect(refusal(text)).toEqual(['invalid_encoding', pointer]);
  });

  it('takes whole surrogate pairs', () => {
    expect(parseJson('["\\ud83d\\ude00", "😀"]')).toEqual(['😀', '😀']);
  });
});

describe('a number that would not be what was written', () => {
  it.each([
    '999999999999999.99',
    '100000000000000.001',
    '0.9999999999999999999',
    '9007199254740993',
    '-9007199254740993',
    '123456789012345678901234567890',
    '1e400',
    '1e-400',
    '10000000000000000.1e0',
    '18446744073709551616',
    `0.${'0'.repeat(20)}${'1'.repeat(20)}`,
  ])('%s is refused, with where it stands', (number) => {
    expect(refusal(`{"a":[1,{"n":${number}}]}`)).toEqual(['invalid_request', '/a/1/n']);
    expect(refusal(number, '/7')).toEqual(['invalid_request', '/7']);
    expect(() => parseJson(`{"n":${number}}`)).toThrow(/send it as a string/);
  });

  it.each([
    ...['0', '-0', '0.0', '0e9', '1', '-1.5', '1.50', '15e-1', '1E+2', '1e15', '1000000000000000'],
    ...['9007199254740991', '9007199254740992', '0.1', '123456.789', '1.7976931348623157e308'],
    ...['5e-324', '0.1234567890123456', `1${'0'.repeat(21)}`, `1.${'0'.repeat(30)}`],
  ])('%s is taken', (number) => {
    expect(parseJson(`{"n":${number}}`)).toEqual({ n: Number(number) });
  });

  it('is told apart for every number that JavaScript writes', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        expect(parseJson(JSON.stringify([number]))).toEqual([number === 0 ? 0 : number]);
      }),
    );
  });
});

describe('a name that is there twice in an object', () => {
  it.each([
    ['{"amount":"1","amount":"999"}', '/amount'],
    ['{"a":{"b":[{"c":1},{"c":1,"d":2,"c":3}]}}', '/a/b/1/c'],
    ['{"a":1,"\\u0061":2}', '/a'],
    ['{"a/b":1 , "x" : {"a/b":1}, "a\\/b":2}', '/a~1b'],
    ['{"":1,"":2}', '/'],
    ['[{"a":"}","b":"{\\"a\\":1","a":2}]', '/0/a'],
  ])('is refused: %s', (text, pointer) => {
    expect(refusal(text)).toEqual(['invalid_request', pointer]);
  });

  it('may stand in several objects, and as a value', () => {
    const text = '[{"a":"a"},{"a":{"a":["a","a"]},"b":"a"}]';
    expect(parseJson(text)).toEqual([{ a: 'a' }, { a: { a: ['a', 'a'] }, b: 'a' }]);
  });

  it('is not what is told of a text that is no JSON', () => {
    expect(refusal('{"a":1,"a":2,}')[0]).toBe('invalid_json');
    expect(refusal('{"a":1e400,')[0]).toBe('invalid_json');
  });
});

describe('a text that is large by its shape', () => {
  it.each([
    ['an object of 80,000 members', many(80_000), 'invalid_request', ''],
    ['one inside', `{"a":[${many(1_001)}]}`, 'invalid_request', '/a/0'],
    ['a million levels', '['.repeat(1_000_000), 'too_deep', '/0'.repeat(16)],
    ['half a million arrays', `[${'[],'.repeat(330_000)}[]]`, 'invalid_request', ''],
    ['one behind another fault', `{"a":1,"a":${'['.repeat(500_000)}`, 'too_deep', undefined],
  ])('is refused without being parsed: %s', (_what, text, code, pointer) => {
    const parse = vi.spyOn(JSON, 'parse');
    const [found, at] = refusal(text);
    expect(parse).not.toHaveBeenCalled();
    parse.mockRestore();
    expect([found, pointer === undefined ? undefined : at]).toEqual([code, pointer]);
  });

  it('is taken up to the limit', () => {
    const text = many(LIMITS.jsonMembersMax);
    expect(Object.keys(parseJson(text) as object)).toHaveLength(LIMITS.jsonMembersMax);
  });
});
