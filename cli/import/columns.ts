import { z } from 'zod';
import { OPERATIONS } from '../../core/operation-types/registry.ts';

/** Columns that are fields of the request itself. */
export const OUTSIDE: ReadonlySet<string> = new Set([
  'type',
  'idempotencyKey',
  'ref',
  'orderingKey',
  'runAt',
  'dryRun',
]);

/** Every field that the input of some operation type has. */
export function inputFields(): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { input } of Object.values(OPERATIONS)) {
    const schema = propertiesSchema.parse(
      z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' }),
    );
    for (const part of [schema, ...(schema.anyOf ?? []), ...(schema.allOf ?? [])]) {
      for (const name of Object.keys(part.properties ?? {})) names.add(name);
    }
  }
  return names;
}

const partSchema = z.looseObject({ properties: z.record(z.string(), z.unknown()).optional() });
const propertiesSchema = partSchema.extend({
  anyOf: z.array(partSchema).optional(),
  allOf: z.array(partSchema).optional(),
});

/** What a name that nobody knows was most likely meant to be. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9.]/g, '');
  const asked = plain(name);
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const candidate of known) {
    const distance = distanceOf(asked, plain(candidate));
    if (best === undefined || distance < best.distance) best = { name: candidate, distance };
  }
  const distanceMax = Math.max(1, Math.floor(asked.length / 3));
  return best !== undefined && best.distance <= distanceMax ? best.name : undefined;
}

const COMPARED_CHARS_MAX = 64;

/** Levenshtein: letters to change, to add and to leave out. */
function distanceOf(left: string, right: string): number {
  if (left.length > COMPARED_CHARS_MAX) return left.length;
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let at = 1; at <= left.length; at += 1) {
    const next = [at];
    for (let to = 1; to <= right.length; to += 1) {
      const change = (row[to - 1] ?? 0) + (left[at - 1] === right[to - 1] ? 0 : 1);
      next.push(Math.min(change, (row[to] ?? 0) + 1, (next[to - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
