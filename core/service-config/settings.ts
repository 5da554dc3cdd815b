import { type SettingName, type SettingOf, isSettingName, rowOf } from '../../config/settings.ts';
import type { ChannelName } from '../../config/channel-defaults.ts';
import type { SettingRow, SettingValue } from '../../config/setting-row.ts';
import { type ConfigScope, INSTALLATION, scopeKeyOf, scopesFor } from './scope.ts';
import type { ConfigValues } from './config-document.ts';

/** By the text of their scope. */
export type Overrides = ReadonlyMap<string, ConfigValues>;

export interface Resolved {
  readonly value: SettingValue;
  /** The scope whose word it is, `environment`, or `default`. */
  readonly source: string;
}

/** What every setting is, at one moment. For the hot path values are compiled from it once. */
export interface Settings {
  read<N extends SettingName>(name: N, scope?: ConfigScope): SettingOf<N>;
  resolve(name: SettingName, scope?: ConfigScope): Resolved;
  /** Those that have anything of their own. */
  readonly tenants: readonly string[];
  /** Providers for which anything is set. */
  readonly providers: readonly string[];
}

interface SettingsSource {
  readonly stored: Overrides;
  /** What the environment says: the installation's default. */
  readonly environment: Overrides;
}

/**
 * The word that counts most: stored before the environment before what is built in; and of what is
 * stored a tenant's before a provider's before a channel's before the installation's. Pure.
 */
export function createSettings({ stored, environment }: SettingsSource): Settings {
  const named = (dimension: 'tenant' | 'provider'): readonly string[] => [
    ...new Set([...stored.keys()].flatMap((key) => partOf(key, dimension))),
  ];
  const resolve = (name: SettingName, scope: ConfigScope = INSTALLATION): Resolved => {
    const row = rowOf(name);
    const keys = scopesFor(reachOf(row, scope)).map(scopeKeyOf);
    for (const key of keys) {
      const value = stored.get(key)?.[name];
      if (value !== undefined) return { value, source: key };
    }
    for (const key of keys) {
      const value = environment.get(key)?.[name];
      if (value !== undefined) return { value, source: 'environment' };
    }
    const own = row.byChannel?.[scope.channel as ChannelName]; // its schema says so
    return { value: own ?? row.default, source: 'default' };
  };
  return Object.freeze({
    resolve,
    read: <N extends SettingName>(name: N, scope?: ConfigScope): SettingOf<N> =>
      resolve(name, scope).value as SettingOf<N>, // stored ones were held against the row's schema
    tenants: named('tenant'),
    providers: named('provider'),
  });
}

/** What is built in, and nothing else. */
export const BUILT_IN: Settings = createSettings({ stored: new Map(), environment: new Map() });

/** The dimensions that the setting knows of a scope. */
export function reachOf({ by }: SettingRow, scope: ConfigScope): ConfigScope {
  const kept: Record<string, string> = {};
  for (const dimension of by) {
    const value = scope[dimension];
    if (value !== undefined) kept[dimension] = value;
  }
  return kept;
}

function partOf(scopeKey: string, dimension: string): readonly string[] {
  const prefix = `${dimension}:`;
  const part = scopeKey.split('/').find((one) => one.startsWith(prefix));
  return part === undefined ? [] : [part.slice(prefix.length)];
}

/** The names that are settings here; another version may know others. */
export function knownOf(values: ConfigValues): ConfigValues {
  return Object.fromEntries(Object.entries(values).filter(([name]) => isSettingName(name)));
}
