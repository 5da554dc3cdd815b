import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type TextLine, readLines } from '../../../cli/import/lines.ts';

async function* chunksOf(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let index = 0; at < bytes.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
  await Promise.resolve();
}

async function linesOf(
  text: string | Uint8Array,
  sizes = [7],
  bytesMax = 100,
): Promise<TextLine[]> {
  const lines: TextLine[] = [];
  const source = chunksOf(Buffer.from(text), sizes);
  for await (const line of readLines(source, bytesMax)) lines.push(line);
  return lines;
}

const texts = async (text: string): Promise<string[]> => (await linesOf(text)).map((l) => l.text);

describe('readLines', () => {
  it('takes LF and CRLF, keeps empty lines, and a last line without an end', async () => {
    expect(await texts('a\r\nb\n\nc')).toEqual(['a', 'b', '', 'c']);
    expect(await texts('a\n')).toEqual(['a']);
    expect(await texts('')).toEqual([]);
  });

  it('drops a byte order mark, at the start only', async () => {
    expect(await texts('\uFEFFa\n\uFEFFb\n')).toEqual(['a', '\uFEFFb']);
  });

  it('gives the same lines however the bytes arrive, and where each ends', async () => {
    const word = fc
      .string({ unit: 'binary', maxLength: 12 })
      .map((s) => s.replaceAll(/[\r\n]/g, ''));
    await fc.assert(
      fc.asyncProperty(
        fc.array(word, { minLength: 1, maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
        async (words, sizes) => {
          const text = `x${words.join('\n')}\n`;
          const lines = await linesOf(text, sizes, 1_000);
          expect(lines.map((line) => line.text)).toEqual(text.slice(0, -1).split('\n'));
          expect(lines.map((line) => line.number)).toEqual(lines.map((_, index) => index + 1));
          expect(lines.at(-1)?.endByte).toBe(Buffer.byteLength(text));
        },
      ),
    );
  });

  it('cuts a line that is too long, says so, and goes on after it', async () => {
    const [before, long, after] = await linesOf(`a\n${'x'.repeat(500_000)}\nb\n`, [1_000]);
    expect(before?.problem).toBeUndefined();
    expect(long?.problem).toBe('too-long');
    expect(long?.text.length).toBeLessThan(1_001);
    expect(after).toEqual({ number: 3, text: 'b', endByte: 500_005 });
  });

  it('takes a line of exactly the length allowed', async () => {
    const [line] = await linesOf(`${'x'.repeat(100)}\n`);
    expect(line?.problem).toBeUndefined();
  });

  it('marks a line that is not UTF-8', async () => {
    const lines = await linesOf(Buffer.from([0x61, 0x0a, 0xff, 0xfe, 0x0a, 0x62]));
    expect(lines.map(({ problem }) => problem)).toEqual([undefined, 'not-utf8', undefined]);
  });
});
