import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ConfigValues } from './config-document.ts';
import { type InvalidDoc, type Loaded, loadedFrom } from './loaded.ts';
import { type Overrides, type Settings, createSettings, knownOf } from './settings.ts';

/** Something compiled from the settings once a change, for the hot path. */
export interface View<T> {
  /** Of whoever has nothing of its own. */
  readonly now: T;
  of(tenantId: string): T;
}

/** What every setting is in this process, as of the last reading. */
export interface LiveSettings {
  readonly now: Settings;
  /** Compiled at once, and again whenever something has changed. */
  view<T>(compile: (settings: Settings, tenantId: string | undefined) => T): View<T>;
  /** Called after a change, once the views are what they are to be. */
  onChange(listener: (settings: Settings) => void): void;
}

export interface LiveSettingsReader extends LiveSettings {
  /** Reads everything and takes over what is good of it. */
  refresh(): Promise<void>;
  readonly invalid: readonly InvalidDoc[];
}

interface LiveDeps {
  readonly readAll: () => Promise<readonly unknown[]>;
  readonly lastGood: (scopeKey: string) => Promise<{ readonly values: ConfigValues } | undefined>;
  readonly environment: Overrides;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** For tests, and for processes that read nothing: as built in, and what is given. */
export function fixedSettings(environment: Overrides = new Map()): LiveSettings {
  const now = createSettings({ stored: new Map(), environment });
  return Object.freeze({
    now,
    view: <T>(compile: (settings: Settings, tenantId: string | undefined) => T): View<T> => {
      const only = compile(now, undefined);
      return { now: only, of: () => only };
    },
    onChange: () => undefined,
  });
}

interface Compiled {
  refresh(settings: Settings): void;
}

export function createLiveSettings(deps: LiveDeps): LiveSettingsReader {
  const { environment, logger, metrics } = deps;
  const views: Compiled[] = [];
  const listeners: ((settings: Settings) => void)[] = [];
  const lastGood = new Map<string, ConfigValues>();
  let current = createSettings({ stored: new Map(), environment });
  let seen = '';
  let told = '';
  let invalid: readonly InvalidDoc[] = [];

  const load = async (raw: readonly unknown[]): Promise<Loaded> => {
    const first = loadedFrom(raw, lastGood);
    const lost = first.invalid.filter(({ fallback }) => fallback === 'nothing');
    for (const { scopeKey } of lost) {
      const last = await deps.lastGood(scopeKey);
      if (last !== undefined) lastGood.set(scopeKey, last.values);
    }
    return lost.length === 0 ? first : loadedFrom(raw, lastGood);
  };
  const report = (loaded: Loaded): void => {
    ({ invalid } = loaded);
    metrics.settingsInvalid.set(invalid.length);
    const text = JSON.stringify([invalid, loaded.unknown]);
    if (text === told) return;
    for (const { scopeKey, problems, fallback } of invalid) {
      logger.error({ scope: scopeKey, problems, fallback }, 'settings.invalid');
    }
    if (invalid.length === 0 && told !== '') logger.info('settings.valid');
    if (loaded.unknown.length > 0) logger.warn({ names: loaded.unknown }, 'settings.unknown');
    told = text;
  };
  const adopt = ({ stored, versions }: Loaded): void => {
    const known = new Map([...stored].map(([key, values]) => [key, knownOf(values)]));
    for (const [key, values] of stored) if (versions.has(key)) lastGood.set(key, values);
    const text = JSON.stringify([...known]);
    if (text === seen) return;
    const isFirst = seen === '';
    seen = text;
    current = createSettings({ stored: known, environment });
    for (const one of views) one.refresh(current);
    for (const listener of listeners) listener(current);
    if (isFirst && known.size === 0) return;
    logger.info({ versions: Object.fromEntries(versions) }, 'settings.changed');
  };

  return {
    get now() {
      return current;
    },
    get invalid() {
      return invalid;
    },
    refresh: async () => {
      const loaded = await load(await deps.readAll());
      report(loaded);
      adopt(loaded);
      metrics.settingsReadAt.setToCurrentTime();
    },
    view: <T>(compile: (settings: Settings, tenantId: string | undefined) => T): View<T> => {
      const view = createView(compile, current);
      views.push(view);
      return view;
    },
    onChange: (listener) => {
      listeners.push(listener);
    },
  };
}

function createView<T>(
  compile: (settings: Settings, tenantId: string | undefined) => T,
  settings: Settings,
): View<T> & Compiled {
  let usual = compile(settings, undefined);
  let own: ReadonlyMap<string, T> = new Map();
  const refresh = (fresh: Settings): void => {
    usual = compile(fresh, undefined);
    own = new Map(fresh.tenants.map((tenant) => [tenant, compile(fresh, tenant)]));
  };
  refresh(settings);
  return {
    get now() {
      return usual;
    },
    of: (tenantId) => (own.size === 0 ? usual : (own.get(tenantId) ?? usual)),
    refresh,
  };
}
