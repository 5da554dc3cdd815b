import { z } from 'zod';
import { pointerSegment } from './canonical.ts';
import type { FieldError } from './errors.ts';
import { noneFails } from './every.ts';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** More than that helps nobody, and a body of 1 MB may hold hundreds of thousands. */
export const FIELD_ERRORS_MAX = 50;

/**
 * What a schema found, as JSON pointers: an unrecognized key is pointed at itself, a union by the
 * issue inside the alternative that came closest. `raw` is the value that was parsed.
 */
export function fieldErrors(
  issues: readonly Issue[],
  raw: unknown,
  prefix = '',
): readonly FieldError[] {
  const found = new Map<string, FieldError>();
  for (const issue of issues) {
    if (found.size >= FIELD_ERRORS_MAX) break;
    collect(issue, { found, raw, prefix });
  }
  return [...found.values()];
}

interface Collector {
  /** By pointer. */
  readonly found: Map<string, FieldError>;
  readonly raw: unknown;
  readonly prefix: string;
}

function collect(issue: Issue, into: Collector): void {
  const pointer = into.prefix + pointerOf(issue.path);
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) {
      if (into.found.size >= FIELD_ERRORS_MAX) return;
      add(into.found, `${pointer}/${pointerSegment(key)}`, 'is not a known field');
    }
    return;
  }
  if (issue.code === 'invalid_union') {
    const closest = closestAlternative(issue.errors);
    const inner = { ...into, raw: valueAt(into.raw, issue.path), prefix: pointer };
    for (const nested of closest) collect(nested, inner);
    if (closest.length > 0) return;
  }
  add(into.found, pointer, detailOf(issue, into.raw));
}

/** One per place: what else is wrong there shows when the first is put right. */
function add(found: Collector['found'], pointer: string, detail: string): void {
  if (found.size < FIELD_ERRORS_MAX && !found.has(pointer)) found.set(pointer, { pointer, detail });
}

/** The alternative that fails only further inside, and of those the one with the fewest issues. */
function closestAlternative(alternatives: readonly (readonly Issue[])[]): readonly Issue[] {
  const inside = alternatives.filter((issues) => noneFails(issues, isInside) && issues.length > 0);
  return inside.reduce<readonly Issue[]>(
    (best, issues) => (best.length === 0 || issues.length < best.length ? issues : best),
    [],
  );
}

function isInside(issue: Issue): boolean {
  return issue.path.length > 0 || issue.code === 'unrecognized_keys';
}

function detailOf(issue: Issue, raw: unknown): string {
  if (issue.code === 'invalid_type') {
    return valueAt(raw, issue.path) === undefined
      ? 'is required'
      : `must be of type ${issue.expected}`;
  }
  const told = issue.code === 'invalid_key' ? (issue.issues[0] ?? issue) : issue;
  return isLibrarysText(told) ? ownText(told) : told.message;
}

const libraryText = z.locales.en().localeError;

/** Whether no schema of ours says what is wrong, so that it is the library's own sentence. */
function isLibrarysText(issue: Issue): boolean {
  const text = libraryText({ ...issue, input: undefined });
  return (typeof text === 'string' ? text : text?.message) === issue.message;
}

const UNITS: Readonly<Record<string, string>> = { string: 'character', array: 'item' };

/** In the form of all our own texts: it goes on behind the name of a field. */
function ownText(issue: Issue): string {
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String).join(', ');
    return issue.values.length > 1 ? `must be one of: ${values}` : `must be ${values}`;
  }
  if (issue.code === 'too_small') return `must ${bound(issue, 'at least', issue.minimum)}`;
  if (issue.code === 'too_big') return `must ${bound(issue, 'at most', issue.maximum)}`;
  if (issue.code === 'invalid_format') return `must be a valid ${issue.format}`;
  return 'is not valid';
}

function bound(
  { origin }: { readonly origin: string },
  how: string,
  limit: number | bigint,
): string {
  const unit = UNITS[origin];
  if (unit === undefined) return `be ${how} ${limit}`;
  return `have ${how} ${limit} ${unit}${Number(limit) === 1 ? '' : 's'}`;
}

function valueAt(raw: unknown, path: Path): unknown {
  let value = raw;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Readonly<Record<PropertyKey, unknown>>)[key];
  }
  return value;
}

function pointerOf(path: Path): string {
  return path.map((key) => `/${pointerSegment(String(key))}`).join('');
}
