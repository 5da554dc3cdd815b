import { describe, expect, it } from 'vitest';
import { readCsv } from '../../../cli/import/csv.ts';
import { readNdjson } from '../../../cli/import/ndjson.ts';
import type { SourceRecord } from '../../../cli/import/record.ts';

async function recordsOf(
  read: (source: AsyncIterable<Uint8Array>) => AsyncIterable<SourceRecord>,
  text: string,
): Promise<unknown[]> {
  async function* source(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(text);
    await Promise.resolve();
  }
  const records: unknown[] = [];
  for await (const record of read(source())) {
    records.push('item' in record ? record.item : record.problem);
  }
  return records;
}

describe('a file is sent as it is written, or its line is refused', () => {
  it('a number that JavaScript rounds, a name that is there twice: only that line', async () => {
    const lines = [
      '{"type":"wallet.credit","input":{"amount":999999999999999.99}}',
      '{"type":"wallet.credit","input":{"amount":"1","amount":"999"}}',
      '{"type":"wallet.credit","input":{"amount":"999999999999999"}}',
    ];
    expect(await recordsOf(readNdjson, lines.join('\n'))).toEqual([
      expect.objectContaining({ code: 'invalid_request', pointer: '/input/amount' }),
      expect.objectContaining({ code: 'invalid_request', pointer: '/input/amount' }),
      { type: 'wallet.credit', input: { amount: '999999999999999' } },
    ]);
  });

  it('in a JSON cell of a CSV file as well', async () => {
    const text = 'type,data:json\nx,[9007199254740993]\nx,[9007199254740991]\n';
    expect(await recordsOf(readCsv, text)).toEqual([
      { code: 'invalid_csv', detail: expect.stringContaining('send it as a string') },
      { type: 'x', input: { data: [9_007_199_254_740_991] } },
    ]);
  });
});
