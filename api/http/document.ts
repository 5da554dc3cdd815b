import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Reply } from './reply.ts';

/** Something that is the same for everybody and for as long as the process runs. */
export interface Document {
  readonly contentType: string;
  readonly text: string | Buffer;
  readonly etag: string;
}

export function documentOf(contentType: string, text: string | Buffer): Document {
  const hash = createHash('sha256').update(text).digest('base64url');
  return Object.freeze({ contentType, text, etag: `"${hash.slice(0, 22)}"` });
}

export function jsonDocument(value: unknown): Document {
  return documentOf('application/json', JSON.stringify(value));
}

/** The document, or 304 to who has it already. */
export function documentReply(
  { contentType, text, etag }: Document,
  { headers }: Pick<IncomingMessage, 'headers'>,
  extra: Readonly<Record<string, string>> = {},
): Reply<never> {
  // Whoever keeps it asks whether it is still the same.
  const common = { ETag: etag, 'Cache-Control': 'no-cache', ...extra };
  return matches(headers['if-none-match'], etag)
    ? { status: 304, headers: common }
    : { status: 200, contentType, text, headers: common };
}

/** RFC 9110, 13.1.2: weak comparison. */
function matches(asked: string | undefined, etag: string): boolean {
  if (asked === undefined) return false;
  const tags = asked.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(etag);
}
