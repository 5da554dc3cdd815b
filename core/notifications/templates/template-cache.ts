import { LRUCache } from 'lru-cache';
import { LIMITS } from '../../../config/limits.ts';
import { builtInTemplate } from './built-in-templates.ts';
import type { Channel } from '../ports.ts';
import type { TemplateText } from './template.ts';
import type { TemplateStore } from './template-store.ts';

interface Wanted {
  readonly tenantId: string;
  readonly name: string;
  readonly channel: Channel;
  readonly locale?: string;
}

export interface Templates {
  /** The tenant's newest text, in the best language there is; else the built-in one. */
  find(wanted: Wanted): Promise<TemplateText | undefined>;
}

const FALLBACK_LOCALE = 'en';

/** A moment old at most. */
export function createTemplates(store: Pick<TemplateStore, 'newest'>): Templates {
  const cache = new LRUCache<string, Promise<TemplateText | undefined>>({
    max: LIMITS.templatesCachedMax,
    ttl: LIMITS.templateCacheMs,
  });
  const load = async ({ locale, ...key }: Wanted): Promise<TemplateText | undefined> => {
    const locales = localesOf(locale);
    const own = await store.newest(key, locales);
    const best = locales.flatMap((one) => own.filter((template) => template.locale === one))[0];
    return best ?? builtInTemplate(key.name, key.channel);
  };
  return Object.freeze({
    find: (wanted: Wanted) => {
      const { tenantId, name, channel, locale = '' } = wanted;
      const key = JSON.stringify([tenantId, name, channel, locale]);
      const known = cache.get(key);
      if (known !== undefined) return known;
      const loading = load(wanted);
      cache.set(key, loading);
      loading.catch(() => cache.delete(key));
      return loading;
    },
  });
}

/** `de-AT` is looked for as itself, as `de`, then in the fallback language. Pure. */
export function localesOf(locale: string | undefined): readonly string[] {
  if (locale === undefined) return [FALLBACK_LOCALE];
  const [language = locale] = locale.split('-');
  return [...new Set([locale, language, FALLBACK_LOCALE])];
}
