import { z } from 'zod';

/** Settings of reads; a part of the environment. */
export const READ_ENV = {
  REDIS_CACHE_READ_URLS: z
    .string()
    .regex(/^rediss?:\/\/[^,\s]+(,rediss?:\/\/[^,\s]+){0,15}$/, 'must be redis:// addresses')
    .optional()
    .describe('replicas of that one, separated by commas: cached balances are read there'),
  READ_CONSISTENCY: z
    .enum(['strong', 'cached'])
    .default('strong')
    .describe('of wallets and balances that are read without `?consistency=`'),
  LIST_STALENESS_SECONDS: z
    .string()
    .regex(/^\d{1,6}$/, 'must be a number of seconds, at least 90')
    .transform(Number)
    .pipe(z.int().min(90))
    .optional()
    .describe('lists are read from secondaries at most so far behind; empty: from the primary'),
  SLOW_QUERY_MS: z
    .string()
    .regex(/^\d{1,6}$/, 'must be a number of milliseconds')
    .transform(Number)
    .optional()
    .describe('commands to MongoDB that take longer are logged; costs some CPU for each reply'),
} as const;

/** Who is asked for what may be a moment behind. */
export function redisReplicas(env: { readonly REDIS_CACHE_READ_URLS?: string | undefined }): {
  readonly cache: readonly string[];
} {
  return { cache: env.REDIS_CACHE_READ_URLS?.split(',') ?? [] };
}

/** One address may have a comma in its password, the addresses of a list may not. */
export function withoutPasswords(name: string, value: string): string {
  return value.replace(name.endsWith('S') ? /\/\/[^,]*@/g : /\/\/.*@/, '//[redacted]@');
}
