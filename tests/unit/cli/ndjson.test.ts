import { describe, expect, it } from 'vitest';
import { readNdjson } from '../../../cli/import/ndjson.ts';

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
  await Promise.resolve();
}

async function seen(text: string): Promise<unknown[]> {
  const records: unknown[] = [];
  for await (const record of readNdjson(bytesOf(text))) {
    records.push('item' in record ? record.item : `${String(record.line)} ${record.problem.code}`);
  }
  return records;
}

describe('readNdjson', () => {
  it.each([
    ['blank lines', '\n{"a":1}\n  \n\t\n\u00a0\n{"b":2}\n\n'],
    ['byte order marks of files put together', '\uFEFF{"a":1}\r\n\uFEFF{"b":2}\r\n\uFEFF\r\n'],
    ['spaces around', '  {"a":1}\n{"b":2}\u00a0\n'],
  ])('passes over %s', async (_, text) => {
    expect(await seen(text)).toEqual([{ a: 1 }, { b: 2 }]);
  });

  it('lets a bad line hurt itself alone, by its number', async () => {
    expect(await seen('{"a":1}\n{"a":1},\n---\n{"b":2}\n')).toEqual([
      { a: 1 },
      '2 invalid_json',
      '3 invalid_json',
      { b: 2 },
    ]);
  });
});
