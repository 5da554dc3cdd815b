import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Json,
  canonicalHash,
  canonicalJson,
  jsonDifferences,
  pointerSegment,
} from '../../../../core/kernel/canonical.ts';
import { check } from '../../../support/property.ts';

const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>;

/** The same value with the keys of every object in reverse. */
function reversed(value: Json): Json {
  if (Array.isArray(value)) return value.map((item: Json) => reversed(item));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]): [string, Json] => [key, reversed(item)]);
  return Object.fromEntries(entries.reverse());
}

describe('canonical JSON', () => {
  it('is the same for equal values, whatever the order of keys', () => {
    const property = fc.property(json, (value) => {
      expect(canonicalJson(reversed(value))).toBe(canonicalJson(value));
      expect(canonicalHash(reversed(value))).toBe(canonicalHash(value));
    });
    check('order of keys', property);
  });

  it('parses back to the value', () => {
    const property = fc.property(json, (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    });
    check('parses back', property);
  });

  it('differs for values that differ, also where types look alike', () => {
    const values: Json[] = [null, 0, '0', '', false, [], {}, [[]], [{}], { a: null }, ['a'], 'a'];
    expect(new Set(values.map(canonicalHash)).size).toBe(values.length);
    expect(canonicalJson({ b: 1, a: [true, null] })).toBe('{"a":[true,null],"b":1}');
  });

  it('has a hash that never changes: stored requests are compared with it', () => {
    expect(canonicalHash({ b: 1, a: 'ä' })).toBe('UHqrgV8r384cdAwLGuexyHT1a5qluasQmge1c2UUgjM');
  });
});

describe('differences', () => {
  it('are none between equal values, and some between others', () => {
    const property = fc.property(json, json, (a, b) => {
      expect(jsonDifferences(a, reversed(a))).toEqual([]);
      const isSame = canonicalJson(a) === canonicalJson(b);
      expect(jsonDifferences(a, b).length === 0).toBe(isSame);
    });
    check('differences', property);
  });

  it('point at what was changed, added and left out', () => {
    const stored = { a: { b: 1, c: 2 }, list: [1, 2], gone: true };
    const sent = { a: { b: 1, c: 3 }, list: [1], 'new/~': 1 };
    expect(jsonDifferences(stored, sent)).toEqual([
      { pointer: '/a/c', detail: 'differs from the first request' },
      { pointer: '/list', detail: 'differs from the first request' },
      { pointer: '/gone', detail: 'was part of the first request and is missing now' },
      { pointer: '/new~1~0', detail: 'was not part of the first request' },
    ]);
  });

  it('stop at a bound', () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`k${index}`, 1]));
    expect(jsonDifferences({}, many)).toHaveLength(20);
  });

  it('are not fooled by a key that objects inherit', () => {
    const sent = JSON.parse('{"__proto__": {"x": 1}, "constructor": 1}') as Json;
    const pointers = jsonDifferences({}, sent).map(({ pointer }) => pointer);
    expect(pointers.sort()).toEqual(['/__proto__', '/constructor']);
  });

  it('escape pointer segments as RFC 6901 says', () => {
    expect([pointerSegment('a/b'), pointerSegment('~1'), pointerSegment(3)]).toEqual([
      ...['a~1b', '~01', '3'],
    ]);
  });
});
