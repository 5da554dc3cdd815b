/** One line of a file, or what is wrong with it as text. */
export interface TextLine {
  /** From 1. */
  readonly number: number;
  readonly text: string;
  /** Bytes of the source up to and with the end of the line. */
  readonly endByte: number;
  readonly problem?: 'too-long' | 'not-utf8';
}

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = '\uFEFF';
/** Of a line that is too long, this much is kept, to recognise it by. */
const KEPT_BYTES = 200;

/**
 * Splits bytes into lines in constant memory: a line longer than `bytesMax` is cut, marked and
 * skipped to its end. Line ends are LF or CRLF; a byte order mark at the start is dropped.
 */
export async function* readLines(
  source: AsyncIterable<Uint8Array>,
  bytesMax: number,
): AsyncGenerator<TextLine> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  let number = 0;
  let endByte = 0;

  const keep = (piece: Uint8Array): void => {
    size += piece.length;
    endByte += piece.length;
    if (size <= bytesMax) pieces.push(piece);
    else if (pieces.length > 0) pieces.splice(0, pieces.length, head(pieces));
  };
  const take = (): TextLine => {
    number += 1;
    const bytes = Buffer.concat(pieces);
    const isTooLong = size > bytesMax;
    pieces.length = 0;
    size = 0;
    return decode(bytes, { number, endByte, isTooLong });
  };

  for await (const chunk of source) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      keep(chunk.subarray(start, end));
      endByte += 1;
      yield take();
      start = end + 1;
    }
    // A copy: the stream may use the memory of the chunk again.
    if (start < chunk.length) keep(Uint8Array.from(chunk.subarray(start)));
  }
  if (size > 0) yield take();
}

function head(pieces: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(pieces).subarray(0, KEPT_BYTES);
}

const STRICT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(
  bytes: Buffer,
  line: { readonly number: number; readonly endByte: number; readonly isTooLong: boolean },
): TextLine {
  const { number, endByte, isTooLong } = line;
  if (isTooLong) return { number, endByte, text: bytes.toString('utf8'), problem: 'too-long' };
  const end = bytes.at(-1) === CARRIAGE_RETURN ? bytes.length - 1 : bytes.length;
  const body = bytes.subarray(0, end);
  try {
    const text = STRICT.decode(body);
    const isMarked = number === 1 && text.startsWith(BYTE_ORDER_MARK);
    return { number, endByte, text: isMarked ? text.slice(1) : text };
  } catch {
    return { number, endByte, text: body.toString('latin1'), problem: 'not-utf8' };
  }
}
