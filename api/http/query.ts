import type { z } from 'zod';
import { parseInput } from './parse-input.ts';

const NO_QUERY: Readonly<Record<string, string | readonly string[]>> = Object.freeze({});

/** The query by name; a name that is there twice has a list, which no schema takes for a text. */
export function queryOf(url: string): Readonly<Record<string, string | readonly string[]>> {
  const start = url.indexOf('?');
  if (start < 0) return NO_QUERY;
  const search = new URLSearchParams(url.slice(start + 1));
  const entries = [...new Set(search.keys())].map((name): [string, string | string[]] => {
    const values = search.getAll(name);
    const [only] = values;
    return [name, values.length === 1 && only !== undefined ? only : values];
  });
  return Object.fromEntries(entries);
}

/** Short ones come again and again, those of lists hardly ever. */
const KEPT_CHARS_MAX = 40;
const KEPT_MAX = 200;

/**
 * Reads queries by a schema whose outcome follows from the text alone: what was read before is not read
 * again.
 *
 * What it returns throws AppError `invalid_request` for a query that does not fit.
 */
export function queryReader<Q>(schema: z.ZodType<Q>): (url: string) => Q {
  const kept = new Map<string, { readonly query: Q }>();
  return (url) => {
    const start = url.indexOf('?');
    const text = start < 0 ? '' : url.slice(start);
    const known = kept.get(text);
    if (known !== undefined) return known.query;
    const query = parseInput(schema, queryOf(url), 'query');
    if (text.length <= KEPT_CHARS_MAX) {
      if (kept.size === KEPT_MAX) kept.clear();
      kept.set(text, { query });
    }
    return query;
  };
}
