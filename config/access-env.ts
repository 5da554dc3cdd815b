import { z } from 'zod';
import { ACCESS_LIMITS, GRACE_DEFAULT_SECONDS } from './access-limits.ts';

/** Settings of who may come in and of how much they may use: a part of the environment. */
const seconds = (max: number, fallback: number) =>
  z
    .string()
    .regex(/^\d{1,8}$/, `must be a number of seconds from 0 to ${max}`)
    .transform(Number)
    .pipe(z.int().max(max))
    .default(fallback);

export const accessEnv = {
  API_KEY_GRACE_SECONDS: seconds(ACCESS_LIMITS.keyGraceSecondsMax, GRACE_DEFAULT_SECONDS).describe(
    'for how long the old secret of a rotated API key is good, unless the request says',
  ),
};
