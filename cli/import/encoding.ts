import { CliError, EXIT } from '../exit.ts';

const UTF16_MARKS: ReadonlySet<string> = new Set(['fffe', 'feff']);
/** Whatever is text in UTF-8 has no zero byte; what is Latin text in UTF-16 has one in each pair. */
const ZERO = 0;

/**
 * Hands the bytes on unless they are UTF-16, as spreadsheets ("Unicode text") and some shells write.
 *
 * @throws CliError: none of its lines could be read.
 */
export async function* refuseUtf16(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const chunk of source) {
    if (isFirst && chunk.length > 0) {
      isFirst = false;
      const start = Buffer.from(chunk.subarray(0, 4));
      const isUtf16 = UTF16_MARKS.has(start.subarray(0, 2).toString('hex')) || start.includes(ZERO);
      if (isUtf16) {
        const how = 'save it as UTF-8 ("CSV UTF-8"), or convert it: iconv -f UTF-16 -t UTF-8';
        throw new CliError(`The input is UTF-16, not UTF-8: ${how}.`, EXIT.usage);
      }
    }
    yield chunk;
  }
}
