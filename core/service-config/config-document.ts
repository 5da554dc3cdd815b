import { z } from 'zod';
import type { SettingValue } from '../../config/setting-row.ts';
import { type ConfigScope, scopeKeyOf, scopeSchema } from './scope.ts';

export type ConfigValues = Readonly<Record<string, SettingValue>>;

/** What has been set for one scope. */
export interface ConfigDoc {
  /** The scope as text. */
  readonly _id: string;
  readonly scope: ConfigScope;
  /** +1 with every change of this document. */
  readonly version: number;
  readonly values: ConfigValues;
  readonly author: string;
  readonly reason: string;
  readonly updatedAt: Date;
}

export const CHANGE_ACTIONS = ['set', 'unset', 'rollback'] as const;
export type ChangeAction = (typeof CHANGE_ACTIONS)[number];

/** One setting before and after. */
export interface SettingChange {
  readonly name: string;
  readonly before?: SettingValue;
  readonly after?: SettingValue;
}

/** One change of a document, with what it came to. Append-only. */
export interface ConfigHistoryDoc {
  readonly _id: string;
  readonly scopeKey: string;
  readonly scope: ConfigScope;
  readonly version: number;
  readonly action: ChangeAction;
  readonly changes: readonly SettingChange[];
  /** All of the document after it: what a rollback to here brings back. */
  readonly values: ConfigValues;
  readonly author: string;
  readonly reason: string;
  readonly at: Date;
  /** `<tenant>/<key>` of the request: a repeat is answered from here. */
  readonly requestKey?: string;
  readonly requestHash?: string;
}

/** Counts all changes, so that two at a time are made one after the other. */
export const HEAD_ID = 'head';

export interface HeadDoc {
  readonly _id: typeof HEAD_ID;
  readonly revision: number;
}

/** Whoever edits by hand may have written an int64. */
const number = z.union([z.number(), z.bigint().transform(Number)]);
const value = z.union([number, z.boolean(), z.array(number)]);

/** The shape alone; what the values may be is `check-values.ts`. */
const shape = z.object({
  _id: z.string(),
  scope: scopeSchema,
  version: number.pipe(z.int().min(0)),
  values: z.record(z.string(), value),
  // Whoever edits by hand may leave these out.
  author: z.string().default('unknown'),
  reason: z.string().default(''),
  updatedAt: z.date().default(new Date(0)),
});

export type Parsed =
  | { readonly ok: true; readonly doc: ConfigDoc }
  | { readonly ok: false; readonly problems: readonly string[] };

/** A document as it stands in the database, where anybody may have changed it. Pure. */
export function parseConfigDoc(raw: unknown): Parsed {
  const parsed = shape.safeParse(raw);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.map(String).join('.')}: ${message}`,
    );
    return { ok: false, problems };
  }
  const doc = parsed.data;
  if (scopeKeyOf(doc.scope) === doc._id) return { ok: true, doc };
  return { ok: false, problems: [`scope: is that of ${scopeKeyOf(doc.scope)}, not of ${doc._id}`] };
}

/** What differs between two sets of values, by name. Pure. */
export function changesBetween(before: ConfigValues, after: ConfigValues): SettingChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((name) => {
    const [old, fresh] = [before[name], after[name]];
    if (JSON.stringify(old) === JSON.stringify(fresh)) return [];
    return [
      {
        name,
        ...(old !== undefined && { before: old }),
        ...(fresh !== undefined && { after: fresh }),
      },
    ];
  });
}
