import { DIMENSIONS } from '../../config/setting-row.ts';
import {
  SETTING_NAMES,
  type SettingName,
  isSettingName,
  providersOf,
  rowOf,
} from '../../config/settings.ts';
import type { ConfigValues } from './config-document.ts';
import { type ConfigScope, scopeText } from './scope.ts';

/** What is wrong with a value, and what would be right. */
export interface Problem {
  readonly name: string;
  readonly detail: string;
}

/** Each value by itself: a known name, set where it may be, within its bounds. Pure. */
export function valueProblems(values: ConfigValues, scope: ConfigScope): readonly Problem[] {
  return Object.entries(values).flatMap(([name, value]) => {
    if (!isSettingName(name)) return [{ name, detail: unknownText(name) }];
    const row = rowOf(name);
    const place = placeProblem(name, scope);
    if (place !== undefined) return [{ name, detail: place }];
    if (row.schema.safeParse(value).success) return [];
    return [{ name, detail: `must be ${row.allowed}` }];
  });
}

/** Why the setting cannot be set for the scope; undefined: it can. Pure. */
export function placeProblem(name: SettingName, scope: ConfigScope): string | undefined {
  const { by } = rowOf(name);
  const strange = DIMENSIONS.filter((one) => scope[one] !== undefined && !by.includes(one));
  if (strange.length > 0) {
    const where = ['the installation', ...by.map((one) => `a ${one}`)].join(', ');
    return `cannot be set for ${scopeText(scope)}: it may be set for ${where}`;
  }
  const { provider } = scope;
  if (provider === undefined) return undefined;
  const known = providersOf(name);
  if (known.includes(provider)) return undefined;
  return `there is no such provider as ${provider}: there are ${known.join(', ')}`;
}

function unknownText(name: string): string {
  const near = SETTING_NAMES.filter((one) => isNear(one, name)).slice(0, 5);
  const hint = near.length > 0 ? `: is it ${near.join(' or ')}?` : ': `sluice config list` has all';
  return `is not the name of a setting${hint}`;
}

/** A slip or two away, or the end of a name. */
function isNear(known: string, name: string): boolean {
  const [a, b] = [known.toLowerCase(), name.slice(0, NAME_CHARS_MAX).toLowerCase()];
  const isPart = b.length >= 3 && a.includes(b);
  return isPart || distance(a, b) <= 3;
}

const NAME_CHARS_MAX = 60;

/** Levenshtein's. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let index = 0; index < a.length; index += 1) {
    const next = [index + 1];
    for (let at = 0; at < b.length; at += 1) {
      const changed = (row[at] ?? 0) + (a[index] === b[at] ? 0 : 1);
      next.push(Math.min(changed, (row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
