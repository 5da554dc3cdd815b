import { z } from 'zod';
import { DIMENSIONS, type Dimension } from '../../config/setting-row.ts';
import { CHANNEL_NAMES } from '../../config/channel-defaults.ts';

/** What an override is for. Empty: the whole installation. */
export type ConfigScope = { readonly [D in Dimension]?: string };

export const INSTALLATION: ConfigScope = Object.freeze({});

export const scopeSchema = z.strictObject({
  tenant: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be the id of a tenant')
    .exactOptional(),
  provider: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be the name of a provider')
    .exactOptional(),
  channel: z.enum(CHANNEL_NAMES).exactOptional(),
});

/** `installation`, or as `tenant:acme/channel:webhook`: the id of the document of a scope. */
export function scopeKeyOf(scope: ConfigScope): string {
  const parts = DIMENSIONS.flatMap((dimension) => {
    const value = scope[dimension];
    return value === undefined ? [] : [`${dimension}:${value}`];
  });
  return parts.length === 0 ? 'installation' : parts.join('/');
}

/** The same for people. */
export function scopeText(scope: ConfigScope): string {
  const key = scopeKeyOf(scope);
  return key === 'installation'
    ? 'the installation'
    : key.replaceAll('/', ', ').replaceAll(':', ' ');
}

/** Which dimensions count more: a tenant's word before a provider's before a channel's. */
const SUBSETS: readonly (readonly Dimension[])[] = [
  ['tenant', 'provider', 'channel'],
  ['tenant', 'provider'],
  ['tenant', 'channel'],
  ['tenant'],
  ['provider', 'channel'],
  ['provider'],
  ['channel'],
  [],
];

/** Whose documents may say something about a scope, the one that counts most first. */
export function scopesFor(scope: ConfigScope): readonly ConfigScope[] {
  return SUBSETS.flatMap((dimensions) => {
    const part: Record<string, string> = {};
    for (const dimension of dimensions) {
      const value = scope[dimension];
      if (value === undefined) return [];
      part[dimension] = value;
    }
    return [part];
  });
}
