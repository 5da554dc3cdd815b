import type { ConfigStore } from './config-store.ts';
import type { ConfigValues } from './config-document.ts';
import { type Loaded, loadedFrom } from './loaded.ts';
import { type Overrides, type Settings, createSettings, knownOf } from './settings.ts';

/** The configuration as it stands in the database now, for whoever looks at it or changes it. */
export async function readConfig(
  store: Pick<ConfigStore, 'readAll' | 'lastGood'>,
  environment: Overrides = new Map(),
): Promise<Loaded & { readonly settings: Settings }> {
  const raw = await store.readAll();
  const before = new Map<string, ConfigValues>();
  for (const { scopeKey } of loadedFrom(raw, before).invalid) {
    const last = await store.lastGood(scopeKey);
    if (last !== undefined) before.set(scopeKey, last.values);
  }
  const loaded = loadedFrom(raw, before);
  const stored = new Map([...loaded.stored].map(([key, values]) => [key, knownOf(values)]));
  return { ...loaded, settings: createSettings({ stored, environment }) };
}
