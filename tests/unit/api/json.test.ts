import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../../../api/json.ts';
import { LIMITS } from '../../../config/limits.ts';
import { AppError } from '../../../core/kernel/errors.ts';

function refusal(text: string, prefix?: string): readonly [string, string | undefined] {
  try {
    parseJson(text, prefix);
  } catch (error) {
    if (error instanceof AppError) return [error.code, error.errors?.[0]?.pointer];
    throw error;
  }
  throw new Error('was not refused');
}

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
