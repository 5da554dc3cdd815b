import { hash } from 'node:crypto';
import type { FieldError } from './errors.ts';

export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** JSON with object keys in code-unit order: equal values give equal text (RFC 8785 for our types). */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((item: Json) => canonicalJson(item)).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const record = value as Readonly<Record<string, Json>>;
  let fields = '';
  for (const key of Object.keys(record).sort()) {
    if (fields !== '') fields += ',';
    fields += `${JSON.stringify(key)}:${canonicalJson(record[key] ?? null)}`;
  }
  return `{${fields}}`;
}

export function canonicalHash(value: Json): string {
  return hash('sha256', canonicalJson(value), 'base64url');
}

/** Escapes one segment of a JSON pointer (RFC 6901). */
export function pointerSegment(segment: string | number): string {
  return String(segment).replaceAll('~', '~0').replaceAll('/', '~1');
}

/** The pointers at which two JSON values differ, at most `max` of them. */
export function jsonDifferences(stored: Json, sent: Json, max = 20): FieldError[] {
  const found: FieldError[] = [];
  const visit = (a: Json | undefined, b: Json | undefined, pointer: string): void => {
    if (found.length >= max) return;
    if (isPlainObject(a) && isPlainObject(b)) {
      for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
        visit(ownField(a, key), ownField(b, key), `${pointer}/${pointerSegment(key)}`);
      }
      return;
    }
    const same =
      a === undefined || b === undefined ? a === b : canonicalJson(a) === canonicalJson(b);
    if (!same) found.push({ pointer, detail: differenceText(a, b) });
  };
  visit(stored, sent, '');
  return found;
}

/** Not what objects inherit: a request may name a field `constructor`. */
function ownField(record: { readonly [key: string]: Json }, key: string): Json | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function differenceText(stored: Json | undefined, sent: Json | undefined): string {
  if (stored === undefined) return 'was not part of the first request';
  if (sent === undefined) return 'was part of the first request and is missing now';
  return 'differs from the first request';
}

function isPlainObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
