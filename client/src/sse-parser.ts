import { SluiceError } from './errors.ts';

/** One block of a stream of server-sent events. */
export interface SseBlock {
  readonly event: string;
  /** Undefined: the block had none, and is no event; its id counts all the same. */
  readonly data: string | undefined;
  readonly id: string | undefined;
  /** Milliseconds before coming back, when the server says so. */
  readonly retryMs: number | undefined;
}

export interface SseParser {
  /** Bytes as they came, cut anywhere. What is not whole yet waits for the rest. */
  push(bytes: Uint8Array): readonly SseBlock[];
}

/** Of what may wait for its end. */
const BLOCK_CHARS_MAX = 4 * 1_048_576;

/** By the HTML standard: lines end with LF, CR or both; a block ends with an empty line. */
export function createSseParser(): SseParser {
  const decoder = new TextDecoder(); // swallows a byte order mark, as it should
  let rest = '';
  let fields: string[] = [];
  let chars = 0;

  return Object.freeze({
    push: (bytes: Uint8Array) => {
      const text = rest + decoder.decode(bytes, { stream: true });
      // A CR at the end may be the first half of a line's end.
      const isHalf = text.endsWith('\r');
      const lines = (isHalf ? text.slice(0, -1) : text).split(/\r\n|\n|\r/);
      rest = (lines.pop() ?? '') + (isHalf ? '\r' : '');
      const blocks: SseBlock[] = [];
      for (const line of lines) {
        chars += line.length;
        if (line !== '') fields.push(line);
        else if (fields.length > 0) {
          blocks.push(blockOf(fields));
          [fields, chars] = [[], 0];
        }
      }
      if (chars + rest.length > BLOCK_CHARS_MAX) {
        throw new SluiceError('response_too_large', 'An event of the stream has no end');
      }
      return blocks;
    },
  });
}

function blockOf(lines: readonly string[]): SseBlock {
  const all = lines.map(fieldOf);
  const last = (name: string): string | undefined =>
    all.findLast((field) => field.name === name)?.value;
  const data = all.filter(({ name }) => name === 'data').map(({ value }) => value);
  const retry = last('retry') ?? '';
  return {
    event: last('event') ?? 'message',
    id: last('id'),
    retryMs: /^\d{1,9}$/.test(retry) ? Number(retry) : undefined,
    data: data.length === 0 ? undefined : data.join('\n'),
  };
}

/** A comment, which begins with a colon, is a field without a name. */
function fieldOf(line: string): { readonly name: string; readonly value: string } {
  const colon = line.indexOf(':');
  if (colon < 0) return { name: line, value: '' };
  return { name: line.slice(0, colon), value: line.slice(colon + 1).replace(/^ /, '') };
}
