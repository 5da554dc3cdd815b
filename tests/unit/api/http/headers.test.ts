import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  bearerOf,
  correlationIdOf,
  idempotencyKeyOf,
  preferencesOf,
  traceparentOf,
} from '../../../../api/http/headers.ts';
import { AppError } from '../../../../core/kernel/errors.ts';

/** A request with headers as Node's parser leaves them. */
function request(headers: Readonly<Record<string, string>>): IncomingMessage {
  const incoming = new IncomingMessage(new Socket());
  for (const [name, value] of Object.entries(headers)) {
    incoming.headers[name] = value;
    incoming.rawHeaders.push(name, value);
  }
  return incoming;
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
  return 'none';
}

describe('Idempotency-Key', () => {
  const keyOf = (value: string): string => idempotencyKeyOf(request({ 'idempotency-key': value }));

  it.each([
    ['abc', 'abc'],
    ['"abc"', 'abc'],
    ['"a \\"b\\" \\\\c"', 'a "b" \\c'],
    ['a, b', 'a, b'],
    ['a"b', 'a"b'],
    ['k'.repeat(255), 'k'.repeat(255)],
  ])('%s is the key %s', (value, key) => {
    expect(keyOf(value)).toBe(key);
  });

  it.each([
    ['', 'idempotency_key_required'],
    ['""', 'idempotency_key_required'],
    ['"abc', 'idempotency_key_invalid'],
    ['"a"b"', 'idempotency_key_invalid'],
    ['"a\\x"', 'idempotency_key_invalid'],
    ['a\u007f', 'idempotency_key_invalid'],
    ['k'.repeat(256), 'idempotency_key_invalid'],
  ])('%j is refused: %s', (value, code) => {
    expect(codeOf(() => keyOf(value))).toBe(code);
  });

  it('has to be there', () => {
    expect(codeOf(() => idempotencyKeyOf(request({})))).toBe('idempotency_key_required');
  });
});

describe('X-Correlation-Id', () => {
  const idOf = (value: string) => correlationIdOf(request({ 'x-correlation-id': value }));

  it('is taken as it is', () => {
    expect(idOf('order-7/A:b.c_d=e@f~g+h')).toBe('order-7/A:b.c_d=e@f~g+h');
  });

  it.each(['a b', 'a\tb', '<script>', 'é', 'a'.repeat(129), '{"$gt":""}'])(
    '%j is refused',
    (value) => {
      expect(codeOf(() => idOf(value))).toBe('invalid_header');
    },
  );

  it('is absent when it is empty', () => {
    expect(idOf('')).toBeUndefined();
  });
});

describe('traceparent', () => {
  const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

  it('is taken when it is well-formed', () => {
    expect(traceparentOf(request({ traceparent: trace }))).toBe(trace);
  });

  it.each([
    trace.toUpperCase(),
    trace.replace('00-', 'ff-'),
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`,
    `${trace}-extra`,
  ])('%s is ignored', (value) => {
    expect(traceparentOf(request({ traceparent: value }))).toBeUndefined();
  });
});

describe('Prefer', () => {
  it.each([
    ['wait=10', 10, false],
    ['wait=90', 30, false],
    ['Wait = "5"', 5, false],
    ['respond-async, wait=3', 3, false],
    ['return=minimal; foo, wait=2', 2, true],
    ['return=representation', 0, false],
    ['wait=-1', 0, false],
    ['wait=1.5', 0, false],
    ['wait=99999999999', 0, false],
    ['await=3', 0, false],
    ['', 0, false],
  ])('%s', (prefer, waitSeconds, isMinimal) => {
    expect(preferencesOf(request({ prefer }))).toEqual({ waitSeconds, isMinimal });
  });
});

describe('Authorization', () => {
  it.each([
    ['Bearer slk_a_b', 'slk_a_b'],
    ['bearer   slk_a_b', 'slk_a_b'],
    ['Basic slk_a_b', undefined],
    ['Bearer', undefined],
    ['Bearer a b', undefined],
  ])('%s', (authorization, key) => {
    expect(bearerOf(request({ authorization }))).toBe(key);
  });
});
