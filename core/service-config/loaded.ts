import { SERVICE_CONFIG_LIMITS } from '../../config/service-config-limits.ts';
import { isSettingName } from '../../config/settings.ts';
import { valueProblems } from './check-values.ts';
import { type ConfigDoc, type ConfigValues, parseConfigDoc } from './config-document.ts';
import { pairProblems } from './pair-rules.ts';
import { type Overrides, type Settings, createSettings, knownOf } from './settings.ts';

export interface InvalidDoc {
  readonly scopeKey: string;
  readonly problems: readonly string[];
  /** What it stands for meanwhile. */
  readonly fallback: 'last-good' | 'nothing';
}

/** What the documents of the database come to. */
export interface Loaded {
  readonly stored: Overrides;
  readonly versions: ReadonlyMap<string, number>;
  readonly invalid: readonly InvalidDoc[];
  /** Names that this version does not know: a newer one may have set them. */
  readonly unknown: readonly string[];
}

const NOTHING: Overrides = new Map();

/**
 * Each document by itself: one that is not good stands for what was last good of it, and harms no
 * other. Unknown names are kept and passed over. Pure.
 */
export function loadedFrom(raw: readonly unknown[], before: Overrides): Loaded {
  const stored = new Map<string, ConfigValues>();
  const versions = new Map<string, number>();
  const invalid: InvalidDoc[] = [];
  const unknown = new Set<string>();
  const fallBack = (scopeKey: string, problems: readonly string[]): void => {
    const last = before.get(scopeKey);
    if (last !== undefined) stored.set(scopeKey, last);
    invalid.push({ scopeKey, problems, fallback: last === undefined ? 'nothing' : 'last-good' });
  };
  const good: ConfigDoc[] = [];
  for (const one of raw.slice(0, SERVICE_CONFIG_LIMITS.scopesMax)) {
    const parsed = parseConfigDoc(one);
    const problems = parsed.ok ? ownProblems(parsed.doc) : parsed.problems;
    if (!parsed.ok || problems.length > 0) fallBack(idOf(one), problems);
    else good.push(parsed.doc);
  }
  for (const { _id, values, version } of good) {
    stored.set(_id, values);
    versions.set(_id, version);
    for (const name of Object.keys(values)) if (!isSettingName(name)) unknown.add(name);
  }
  const settingsNow = (): Settings => {
    const known = new Map([...stored].map(([key, all]) => [key, knownOf(all)]));
    return createSettings({ stored: known, environment: NOTHING });
  };
  let settings = settingsNow();
  // The most general first: what contradicts itself there is not the fault of those below.
  const byReach = good.toSorted((a, b) => reach(a) - reach(b));
  for (const { _id, scope, values } of byReach) {
    const problems = pairProblems(settings, [scope]).filter(({ name }) => isTouched(name, values));
    if (problems.length === 0) continue;
    stored.delete(_id);
    fallBack(_id, problems.map(textOf));
    settings = settingsNow();
  }
  return { stored, versions, invalid, unknown: [...unknown].sort() };
}

function ownProblems({ values, scope }: ConfigDoc): readonly string[] {
  return valueProblems(knownOf(values), scope).map(textOf);
}

function textOf({ name, detail }: { readonly name: string; readonly detail: string }): string {
  return `${name} ${detail}`;
}

/** A contradiction between what others have said is not this document's. */
function isTouched(name: string, values: ConfigValues): boolean {
  const [area = ''] = name.split('.');
  return Object.keys(values).some((one) => one.startsWith(`${area}.`) || one.startsWith('saga.'));
}

function reach({ scope }: ConfigDoc): number {
  return Object.keys(scope).length;
}

function idOf(raw: unknown): string {
  const id: unknown = typeof raw === 'object' && raw !== null ? Reflect.get(raw, '_id') : undefined;
  return typeof id === 'string' ? id : String(id);
}
