import { AppError } from '../kernel/errors.ts';
import { type Problem, valueProblems } from './check-values.ts';
import { type ConfigValues, type SettingChange, changesBetween } from './config-document.ts';
import { pairProblems } from './pair-rules.ts';
import { type ConfigScope, scopeKeyOf, scopeText } from './scope.ts';
import { type Overrides, createSettings, knownOf } from './settings.ts';

export interface ValueChange {
  readonly set: ConfigValues;
  readonly unset: readonly string[];
}

interface Standing {
  readonly scope: ConfigScope;
  /** Of the document now; 0: there is none. */
  readonly version: number;
  readonly expectedVersion: number | undefined;
  /** All that is set, by the text of the scope. */
  readonly stored: Overrides;
  readonly environment: Overrides;
}

export interface Decided {
  readonly values: ConfigValues;
  readonly changes: readonly SettingChange[];
}

/**
 * What a change makes of a document. Everything is held against the whole of the configuration: what
 * would contradict itself for anybody changes nothing. Pure.
 *
 * @throws AppError `version_conflict`, or `invalid_setting` with everything that is wrong.
 */
export function decideChange(change: ValueChange, standing: Standing): Decided {
  const { scope, version, expectedVersion, stored, environment } = standing;
  if (expectedVersion !== undefined && expectedVersion !== version) {
    const stands = `Version ${String(version)} stands for ${scopeText(scope)}`;
    const detail = `${stands}, not ${String(expectedVersion)}: look at it again`;
    throw new AppError('version_conflict', detail, { context: { version } });
  }
  const key = scopeKeyOf(scope);
  const before = stored.get(key) ?? {};
  const missing = change.unset.filter((name) => !Object.hasOwn(before, name));
  const wrong = [
    ...valueProblems(change.set, scope),
    ...missing.map((name) => ({ name, detail: `is not set for ${scopeText(scope)}` })),
  ];
  if (wrong.length > 0) throw invalid(wrong);
  const kept = Object.entries(before).filter(([name]) => !change.unset.includes(name));
  const values = { ...Object.fromEntries(kept), ...change.set };
  const changes = changesBetween(before, values);
  const after = new Map(stored).set(key, values);
  const known = new Map([...after].map(([one, all]) => [one, knownOf(all)]));
  const contradictions = newProblems({ stored, environment }, known, scope);
  if (contradictions.length > 0) throw invalid(contradictions);
  return { values, changes };
}

/** What contradicted itself before is not this change's doing. */
function newProblems(
  { stored, environment }: Pick<Standing, 'stored' | 'environment'>,
  after: Overrides,
  scope: ConfigScope,
): readonly Problem[] {
  const settings = createSettings({ stored: after, environment });
  const tenants = scope.tenant === undefined ? settings.tenants : [];
  const places = [scope, ...tenants.map((tenant) => ({ ...scope, tenant }))];
  const found = pairProblems(settings, places);
  if (found.length === 0) return found;
  const old = pairProblems(createSettings({ stored, environment }), places);
  return found.filter(({ name }) => !old.some((one) => one.name === name));
}

function invalid(problems: readonly Problem[]): AppError {
  const errors = problems.map(({ name, detail }) => ({ pointer: `/${name}`, detail }));
  const all = problems.map(({ name, detail }) => `${name} ${detail}`).join('; ');
  return new AppError('invalid_setting', `Nothing was changed: ${all}`, { errors });
}
