import { AppError } from './errors.ts';

/** Opaque list cursors: the list's name and the last key seen, base64url. */
export function encodeCursor(list: string, key: string): string {
  return Buffer.from(JSON.stringify([list, key])).toString('base64url');
}

/** @throws AppError `invalid_cursor` when the text was not made by `encodeCursor` for this list. */
export function decodeCursor(list: string, cursor: string): string {
  const fail = (): AppError =>
    new AppError('invalid_cursor', 'Use the `nextCursor` of the previous page, unchanged', {
      errors: [{ pointer: '/cursor', detail: 'not a cursor of this list', in: 'query' }],
    });
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    throw fail();
  }
  if (!Array.isArray(parsed) || parsed.length !== 2) throw fail();
  const [name, key] = parsed as readonly unknown[];
  if (name !== list || typeof key !== 'string' || key.length > 300) throw fail();
  return key;
}
