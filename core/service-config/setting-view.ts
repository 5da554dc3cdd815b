import type { SettingValue } from '../../config/setting-row.ts';
import { SETTING_NAMES, type SettingName, rowOf } from '../../config/settings.ts';
import { placeProblem } from './check-values.ts';
import { type ConfigScope, scopeKeyOf } from './scope.ts';
import { BUILT_IN, type Settings, reachOf } from './settings.ts';

/** One setting as people and clients see it. */
export interface SettingView {
  readonly name: SettingName;
  /** In force for the scope that was asked about. */
  readonly value: SettingValue;
  /** Whose word that is: a scope, `environment` or `default`. */
  readonly source: string;
  readonly default: SettingValue;
  readonly unit: string;
  readonly allowed: string;
  readonly summary: string;
  readonly scopes: readonly string[];
  /** A tenant's own administrators may set it for their tenant. */
  readonly tenantMay: boolean;
}

export function settingView(
  settings: Settings,
  name: SettingName,
  scope: ConfigScope,
): SettingView {
  const row = rowOf(name);
  const { unit, allowed, summary, by, tenantMay } = row;
  return {
    name,
    ...settings.resolve(name, scope),
    default: BUILT_IN.resolve(name, scope).value,
    ...{ unit, allowed, summary },
    scopes: ['installation', ...by],
    tenantMay,
  };
}

/** Those that may differ for a scope; for the installation all of them. */
export function settingsFor(settings: Settings, scope: ConfigScope): readonly SettingView[] {
  const names = SETTING_NAMES.filter((name) => {
    const reach = reachOf(rowOf(name), scope);
    return scopeKeyOf(reach) === scopeKeyOf(scope) && placeProblem(name, scope) === undefined;
  });
  return names.map((name) => settingView(settings, name, scope));
}
