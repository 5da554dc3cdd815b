import type { SettingName } from '../../config/settings.ts';
import { AppError } from '../../core/kernel/errors.ts';
import type { ChangeNotice } from '../../core/service-config/change-notice.ts';
import {
  type ChangeRequest,
  type Changed,
  type ConfigStore,
  createConfigStore,
} from '../../core/service-config/config-store.ts';
import type { InvalidDoc } from '../../core/service-config/loaded.ts';
import { readConfig } from '../../core/service-config/read-config.ts';
import { type ConfigScope, scopeKeyOf } from '../../core/service-config/scope.ts';
import {
  type SettingView,
  settingView,
  settingsFor,
} from '../../core/service-config/setting-view.ts';
import { createTenantStore } from '../../core/tenants/tenant-store.ts';
import type { Platform } from '../../runtime/platform.ts';
import { environmentSettings } from '../../runtime/environment-settings.ts';

export interface ScopeState {
  /** Of the document of the scope; 0: nothing has ever been set for it. */
  readonly version: number;
  /** It stands in the database as nobody can use it, and this is said of it. */
  readonly invalid?: InvalidDoc;
}

/** What the endpoints about settings work with. */
export interface SettingsAdmin {
  list(scope: ConfigScope): Promise<ScopeState & { readonly items: readonly SettingView[] }>;
  get(name: SettingName, scope: ConfigScope): Promise<ScopeState & { readonly item: SettingView }>;
  change(request: ChangeRequest): Promise<Changed>;
  history: ConfigStore['history'];
}

export function openSettingsAdmin(
  { env, mongo }: Pick<Platform, 'env' | 'mongo'>,
  notice: Pick<ChangeNotice, 'announce'>,
): SettingsAdmin {
  const environment = environmentSettings(env);
  const store = createConfigStore(mongo.db, environment);
  const tenants = createTenantStore(mongo.db);

  const look = async (scope: ConfigScope) => {
    const { settings, versions, invalid } = await readConfig(store, environment);
    const key = scopeKeyOf(scope);
    const bad = invalid.find(({ scopeKey }) => scopeKey === key);
    const version = versions.get(key) ?? (await store.lastGood(key))?.version ?? 0;
    return { settings, state: { version, ...(bad !== undefined && { invalid: bad }) } };
  };

  return Object.freeze({
    list: async (scope) => {
      const { settings, state } = await look(scope);
      return { ...state, items: settingsFor(settings, scope) };
    },
    get: async (name, scope) => {
      const { settings, state } = await look(scope);
      return { ...state, item: settingView(settings, name, scope) };
    },
    change: async (request) => {
      const { tenant } = request.scope;
      if (tenant !== undefined && (await tenants.find(tenant)) === undefined) {
        throw new AppError('not_found', `There is no tenant ${tenant}`);
      }
      const changed = await store.change(request);
      if (changed.isStored) notice.announce();
      return changed;
    },
    history: (query) => store.history(query),
  } satisfies SettingsAdmin);
}
