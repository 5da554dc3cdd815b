import fc from 'fast-check';

/** What nobody should send and somebody will. */
const NASTY: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  Number.MAX_SAFE_INTEGER,
  '',
  ' ',
  '0',
  '-1',
  '1e3',
  '9'.repeat(40),
  'a'.repeat(5_000),
  '\u0000',
  '\ud800',
  '💶'.repeat(200),
  '../../etc/passwd',
  '$ne',
  "'; drop table",
  '{{constructor}}',
  [],
  {},
  [[[[[]]]]],
  { $ne: null },
  { $where: 'sleep(5000)' },
  { constructor: { prototype: {} } },
  { 'a.b': 1, $set: {} },
];

const nasty = fc.constantFrom(...NASTY);
export const nastyText = fc.oneof(
  fc.constantFrom(...NASTY.filter((one): one is string => typeof one === 'string')),
  fc.string({ unit: 'binary', maxLength: 30 }),
);

/** The value with one thing in it that is wrong: replaced, left out, or added. */
export function spoiled(value: unknown): fc.Arbitrary<unknown> {
  return fc
    .tuple(fc.nat(), fc.constantFrom('replace', 'drop', 'add', 'dive', 'dive'), nasty)
    .chain(([pick, how, bad]) => {
      if (typeof value !== 'object' || value === null) return fc.constant(bad);
      const keys = Object.keys(value);
      if (keys.length === 0 || how === 'add') {
        return fc.constant(
          Array.isArray(value) ? [...(value as unknown[]), bad] : { ...value, extra: bad },
        );
      }
      const key = keys[pick % keys.length] ?? '';
      const inner: unknown = Reflect.get(value, key);
      if (how === 'drop') return fc.constant(without(value, key));
      return (how === 'dive' ? spoiled(inner) : fc.constant(bad)).map((next) =>
        withMember(value, key, next),
      );
    });
}

function without(value: object, key: string): unknown {
  if (Array.isArray(value)) return value.slice(1) as unknown;
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
}

function withMember(value: object, key: string, next: unknown): unknown {
  if (!Array.isArray(value)) return { ...value, [key]: next };
  return (value as unknown[]).map((one, index) => (String(index) === key ? next : one));
}

/** Text that is no JSON, or JSON as no serialiser writes it. */
export const rawBody: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    ...['', '{', '[', '[1,2', '{"a":1,"a":2}', '{"__proto__":{"x":1}}', 'nul', '\ufeff{}', '1e999'],
    `${'['.repeat(200)}${']'.repeat(200)}`,
    `{"input":${'{"a":'.repeat(60)}1${'}'.repeat(60)}}`,
    '{"amount": 12345678901234567890}',
    `"${'x'.repeat(100_000)}"`,
  ),
);
