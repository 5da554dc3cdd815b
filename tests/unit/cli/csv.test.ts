import { describe, expect, it } from 'vitest';
import { readCsv } from '../../../cli/import/csv.ts';
import type { SourceRecord } from '../../../cli/import/record.ts';

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
  await Promise.resolve();
}

async function recordsOf(text: string): Promise<SourceRecord[]> {
  const records: SourceRecord[] = [];
  for await (const record of readCsv(bytesOf(text))) records.push(record);
  return records;
}

const itemsOf = async (text: string): Promise<unknown[]> =>
  (await recordsOf(text)).map((record) => ('item' in record ? record.item : record.problem.code));

describe('readCsv', () => {
  it('puts bare names and dotted paths into the input, the rest beside it', async () => {
    const header =
      'type,idempotencyKey,userId,input.currency,amount,metadata.source,orderingKey,ref';
    expect(
      await itemsOf(`${header}\nwallet.credit,k1,ann,EUR,00123456789012345678,app,o1,r1\n`),
    ).toEqual([
      {
        type: 'wallet.credit',
        idempotencyKey: 'k1',
        orderingKey: 'o1',
        ref: 'r1',
        input: { userId: 'ann', currency: 'EUR', amount: '00123456789012345678' },
        metadata: { source: 'app' },
      },
    ]);
  });

  it('builds lists by numbers in paths and takes JSON where the column says so', async () => {
    const header = 'type,userId,wallets.0.currency,wallets.0.overdraftLimit,contacts:json';
    const row = 'user.create,ann,EUR,500,"{""email"":""a@example.org""}"';
    expect(await itemsOf(`${header}\n${row}\n`)).toEqual([
      {
        type: 'user.create',
        input: {
          userId: 'ann',
          wallets: [{ currency: 'EUR', overdraftLimit: '500' }],
          contacts: { email: 'a@example.org' },
        },
      },
    ]);
  });

  it('leaves out what an empty cell does not say', async () => {
    expect(await itemsOf('type,fee,userId\nx,,ann\n')).toEqual([
      { type: 'x', input: { userId: 'ann' } },
    ]);
  });

  it.each([
    ['semicolons', 'type;userId\nx;"a,b"\n'],
    ['tabs', 'type\tuserId\nx\ta,b\n'],
    ['a byte order mark', '\uFEFFtype,userId\r\nx,"a,b"\r\n'],
  ])('understands %s', async (_, text) => {
    expect(await itemsOf(text)).toEqual([{ type: 'x', input: { userId: 'a,b' } }]);
  });

  it('joins lines inside quotes and numbers records by their first line', async () => {
    const records = await recordsOf('type,description\nx,"one\ntwo ""2"""\n\ny,z\n');
    expect(records).toMatchObject([
      { line: 2, item: { type: 'x', input: { description: 'one\ntwo "2"' } } },
      { line: 5, item: { type: 'y', input: { description: 'z' } } },
    ]);
  });

  it('refuses what is not a record, by line, and goes on', async () => {
    const records = await recordsOf('type,a\nx,1,2\ny,"b" c\nz,1\n');
    expect(records.map(({ line }) => line)).toEqual([2, 3, 4]);
    expect(records.map((record) => ('problem' in record ? record.problem.code : 'ok'))).toEqual([
      'invalid_csv',
      'invalid_csv',
      'ok',
    ]);
  });

  it('loses no line to a quote that is never closed', async () => {
    const rows = Array.from({ length: 1_500 }, (_, index) => `x,${index}`);
    const records = await recordsOf(`type,a\nbad,"open\n${rows.join('\n')}\n`);
    expect(records).toHaveLength(1_501);
    expect(records.filter((record) => 'problem' in record)).toMatchObject([{ line: 2 }]);
  });

  it('loses no line to a quote that another one seems to close', async () => {
    const records = await recordsOf('type,a\nbad,"open\nx,1\nx,2" pipe\nx,3\n');
    expect(records.map((record) => ('item' in record ? 'ok' : record.line))).toEqual([
      2,
      'ok',
      'ok',
      'ok',
    ]);
  });

  it('takes a quote in the middle of a cell for an inch', async () => {
    expect(await itemsOf('type,a,b\nx,5" pipe,1\ny,2,3\nz,the "old" one,3"\n')).toEqual([
      { type: 'x', input: { a: '5" pipe', b: '1' } },
      { type: 'y', input: { a: '2', b: '3' } },
      { type: 'z', input: { a: 'the "old" one', b: '3"' } },
    ]);
  });

  it('refuses a cell that should be JSON and is not', async () => {
    expect(await itemsOf('type,a:json\nx,{\n')).toEqual(['invalid_csv']);
  });

  it.each([
    ['no type', 'userId,amount\n', 'has no column "type"'],
    ['a name twice', 'type,userId,input.userId\n', 'names "input.userId" twice'],
    ['a dangerous name', 'type,__proto__.x\n', 'cannot be a field'],
    ['an empty name', 'type,,userId\n', 'cannot be a field'],
    ['a broken quote', '"type\n', 'is not valid CSV'],
  ])('stops at a header with %s', async (_, text, message) => {
    await expect(recordsOf(`${text}x,1\n`)).rejects.toThrow(message);
  });
});

/** The same two rows, as a spreadsheet may leave them. */
const ROWS = [
  { type: 'x', input: { userId: 'ann' } },
  { type: 'y', input: { userId: 'bob' } },
];

describe('what spreadsheets leave in a CSV', () => {
  it.each([
    ['rows of commas at the end', 'type,userId\nx,ann\ny,bob\n,\n,\n'],
    ['rows of commas before the header and between', ',,\ntype,userId\n,\nx,ann\n,,,\ny,bob\n'],
    ['rows of blank and of quoted cells', 'type;userId\nx;ann\n  ; \n"";""\ny;bob\n\t;\u00a0\n'],
    ['columns without a name at the end', 'type,userId,,\nx,ann,,\ny,bob,, \n'],
    ['one comma too many', 'type,userId\nx,ann,\ny,bob, ,\n'],
    ['cells with spaces around', ' type , userId\nx ,  ann\ny,"bob" \n'],
    ['a blank cell', 'type,amount,userId\nx,  ,ann\ny," ",bob\n'],
    ['a separator line', 'sep=;\ntype;userId\nx;ann\ny;bob\n'],
    ['a quoted separator line, filled up', '"SEP=,",\r\ntype,userId\r\nx,ann\r\ny,bob\r\n'],
    ['a byte order mark before the separator line', '\uFEFFsep=\t\ntype\tuserId\nx\tann\ny\tbob\n'],
    ['a byte order mark before a quoted name', '\uFEFF"type","userId"\nx,ann\ny,bob\n'],
    ['byte order marks of files put together', 'type,userId\n\uFEFFx,ann\n\uFEFF\n\uFEFF"y",bob\n'],
  ])('is passed over: %s', async (_, text) => {
    expect(await itemsOf(text)).toEqual(ROWS);
  });

  it('keeps the spaces of a quoted cell', async () => {
    expect(await itemsOf('type,description\nx," two  "\n')).toEqual([
      { type: 'x', input: { description: ' two  ' } },
    ]);
  });

  it('hurts a row with something under no name alone, by its line', async () => {
    const records = await recordsOf('type,userId,,\nx,ann,,9\ny,bob,,\n');
    expect(records).toMatchObject([
      { line: 2, problem: { code: 'invalid_csv', detail: expect.stringContaining('cell 4') } },
      { line: 3, item: ROWS[1] },
    ]);
  });

  it('hurts a row that is cut short alone, by its line', async () => {
    const records = await recordsOf('type,userId,amount\nx\ny,bob,\n');
    expect(records).toMatchObject([{ line: 2, problem: { code: 'invalid_csv' } }, { line: 3 }]);
  });
});
