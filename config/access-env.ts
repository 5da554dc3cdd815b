import { z } from 'zod';
import { type Plan, planSchema } from './plan.ts';
import { ACCESS_LIMITS, GRACE_DEFAULT_SECONDS } from './access-limits.ts';

/** Settings of who may come in and of how much they may use: a part of the environment. */
const seconds = (max: number, fallback: number) =>
  z
    .string()
    .regex(/^\d{1,8}$/, `must be a number of seconds from 0 to ${max}`)
    .transform(Number)
    .pipe(z.int().max(max))
    .default(fallback);

const plan = z
  .string()
  .transform((text, ctx): Plan => {
    const parsed = planSchema.safeParse(jsonOf(text));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    const what = issue === undefined ? '' : `: ${issue.path.join('.')} ${issue.message}`;
    const form = '{"write":{"tenant":{"quota":1000,"windowSeconds":1}}}';
    ctx.addIssue({ code: 'custom', message: `must be JSON as ${form}${what}` });
    return z.NEVER;
  })
  .optional();

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const accessEnv = {
  DEFAULT_PLAN: plan.describe(
    'JSON: what a tenant without a plan of its own may use: `read` and `write` rates of `tenant` ' +
      'and `key`, `backlogMax`; what is left out is unlimited',
  ),
  API_KEY_GRACE_SECONDS: seconds(ACCESS_LIMITS.keyGraceSecondsMax, GRACE_DEFAULT_SECONDS).describe(
    'for how long the old secret of a rotated API key is good, unless the request says',
  ),
};
