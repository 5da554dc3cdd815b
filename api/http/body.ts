import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { LIMITS } from '../../config/limits.ts';
import { AppError } from '../../core/kernel/errors.ts';
import { parseJson } from './json.ts';
import { parseInput } from './parse-input.ts';

const JSON_TYPE = 'application/json';
const NDJSON_TYPE = 'application/x-ndjson';
const BYTE_ORDER_MARK = '\ufeff';

/** What an endpoint takes as its body, and how it is read. */
export interface BodySpec<B> {
  /** Media types; none: the endpoint has no body, and what comes is ignored. */
  readonly accepts: readonly string[];
  /** Whether a request without a body is read as `{}`. */
  readonly isOptional?: true;
  /** What it takes, for the reference, where that is JSON of a known shape. */
  readonly schema?: z.ZodType;
  readonly parse: (text: string, mediaType: string) => B;
}

export const noBody: BodySpec<undefined> = { accepts: [], parse: () => undefined };

/** Any JSON; the endpoint judges its shape. */
export const jsonBody: BodySpec<unknown> = {
  accepts: [JSON_TYPE],
  parse: (text) => parseJson(text),
};

/** As `jsonBody`, with the shape that the endpoint will ask for. */
export function jsonBodyLike(schema: z.ZodType): BodySpec<unknown> {
  return { ...jsonBody, schema };
}

/** As `jsonBody`, where the path says all that is needed: no body at all is an empty object. */
export const optionalJsonBody: BodySpec<unknown> = { ...jsonBody, isOptional: true };

/** JSON of one shape. */
export function schemaBody<T>(schema: z.ZodType<T>): BodySpec<T> {
  return { accepts: [JSON_TYPE], schema, parse: (text) => parseInput(schema, parseJson(text)) };
}

/**
 * A JSON array, or one JSON value per line; blank lines are none. A line that is not JSON is an item
 * of its own, the error: it hurts nobody but itself.
 */
export const listBody: BodySpec<readonly unknown[]> = {
  accepts: [JSON_TYPE, NDJSON_TYPE],
  parse: (text, mediaType) => {
    const items = mediaType === NDJSON_TYPE ? parseLines(text) : parseArray(text);
    const max = LIMITS.bulkItemsMax;
    if (items.length > 0 && items.length <= max) return items;
    const detail = `must have 1 to ${max} items`;
    throw new AppError('invalid_request', `The body ${detail}`, {
      errors: [{ pointer: '', detail }],
    });
  },
};

function parseArray(text: string): readonly unknown[] {
  const value = parseJson(text);
  if (Array.isArray(value)) return value as readonly unknown[];
  const detail = 'must be an array';
  throw new AppError('invalid_request', `The body ${detail}`, {
    errors: [{ pointer: '', detail }],
  });
}

function parseLines(text: string): readonly unknown[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length > LIMITS.bulkItemsMax) return lines; // refused by its number, unread
  const items = lines.map(parseLine);
  const [first] = items;
  // Not NDJSON at all, then: said once.
  if (first instanceof AppError && !items.some((item) => !(item instanceof AppError))) throw first;
  return items;
}

function parseLine(line: string, index: number): unknown {
  try {
    return parseJson(line, `/${index}`);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

/**
 * Reads the body of a request.
 *
 * @param take Told of every part as it arrives; what it throws ends the reading.
 * @throws AppError `unsupported_media_type`, `body_too_large`, `invalid_encoding`, or what the
 * parser of the body throws.
 */
export async function readBody<B>(
  request: IncomingMessage,
  spec: BodySpec<B>,
  take: (bytes: number) => void = () => undefined,
): Promise<B> {
  if (spec.accepts.length === 0) return spec.parse('', '');
  if (spec.isOptional === true && hasNoBody(request)) return spec.parse('{}', '');
  const mediaType = mediaTypeOf(request, spec.accepts);
  const bytes = await readBytes(request, take);
  if (!isUtf8(bytes)) throw new AppError('invalid_encoding', 'The body is not valid UTF-8');
  const text = bytes.toString('utf8');
  // RFC 8259, 8.1: a parser may pass over a byte order mark, which some programs put in front.
  return spec.parse(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text, mediaType);
}

/** RFC 9112, 6.3: neither a length nor chunks are announced. */
function hasNoBody({ headers }: IncomingMessage): boolean {
  const { 'content-length': length = '0', 'transfer-encoding': chunked } = headers;
  return length === '0' && chunked === undefined;
}

function mediaTypeOf(request: IncomingMessage, accepts: readonly string[]): string {
  const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = request.headers;
  // The usual case is spelled exactly; everything else is taken apart.
  const [mediaType = '', ...parameters] = accepts.includes(type)
    ? [type]
    : type.split(';').map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  const isUtf8Text = charset === undefined || /^charset="?utf-?8"?$/.test(charset);
  if (accepts.includes(mediaType) && isUtf8Text && encoding === 'identity') return mediaType;
  throw new AppError(
    'unsupported_media_type',
    `Send ${accepts.join(' or ')} in UTF-8 and without Content-Encoding`,
  );
}

async function readBytes(
  request: IncomingMessage,
  reserve: (bytes: number) => void,
): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > LIMITS.bodyBytesMax) throw tooLarge();
  // A short body has usually come along with the head: then it is there to be taken.
  if (request.complete && request.readableLength === declared && declared > 0) {
    const bytes: unknown = request.read();
    if (Buffer.isBuffer(bytes)) {
      reserve(bytes.length);
      return bytes;
    }
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const stop = (): void => {
      request.off('data', take).off('end', finish).off('error', fail).off('close', abort);
    };
    const finish = (): void => {
      stop();
      const [only] = chunks;
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, size));
    };
    const fail = (cause: Error): void => {
      stop();
      reject(new AppError('invalid_request', 'The body broke off', { cause }));
    };
    const abort = (): void => {
      fail(new Error('closed before the end'));
    };
    const take = (chunk: Buffer): void => {
      size += chunk.length;
      try {
        if (size > LIMITS.bodyBytesMax) throw tooLarge();
        reserve(chunk.length);
        chunks.push(chunk);
      } catch (error) {
        stop();
        reject(error instanceof Error ? error : new Error('no room', { cause: error }));
        // What else comes is thrown away by the answer.
      }
    };
    request.on('data', take).on('end', finish).on('error', fail).on('close', abort);
  });
}

function tooLarge(): AppError {
  return new AppError('body_too_large', `The body may have ${LIMITS.bodyBytesMax} bytes`);
}
