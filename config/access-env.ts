import { z } from 'zod';
import { type Plan, planSchema } from './plan.ts';
import { ACCESS_LIMITS, GRACE_DEFAULT_SECONDS } from './access-limits.ts';

/** Settings of who may come in and of how much they may use: a part of the environment. */
const number = (max: number) => {
  const text = `must be a number of seconds from 0 to ${max}`;
  return z
    .string()
    .regex(/^\d{1,8}$/, text)
    .transform(Number)
    .pipe(z.int().max(max, text));
};

const list = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .refine((parts) => !parts.includes(''), 'must be names with commas between them');

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

/** Of tokens, where the environment does not say it. */
export const TOKEN_DEFAULTS = {
  algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
  tenantClaim: 'tenant',
  scopesClaim: 'scope',
  toleranceSeconds: 30,
} as const;

/** Those that verify with a public key: a secret shared with an issuer is no way in. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA'],
];
const algorithms = list.refine(
  (names) => !names.some((name) => !ALGORITHMS.includes(name)),
  `must be some of ${ALGORITHMS.join(',')}`,
);
const claim = z.string().regex(/^[\x21-\x7e]{1,100}$/, 'must be the name of a claim');

export const accessEnv = {
  JWT_JWKS_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('where the issuer of tokens publishes its keys; https in production'),
  JWT_ISSUER: z.string().min(1).max(500).optional().describe('`iss` of tokens, exactly'),
  JWT_AUDIENCE: list.optional().describe('`aud` of tokens: one of these, separated by commas'),
  JWT_ALGORITHMS: algorithms
    .optional()
    .describe(`algorithms of tokens; ${TOKEN_DEFAULTS.algorithms.join(',')} unless stated`),
  JWT_TENANT_CLAIM: claim
    .optional()
    .describe('claim that names the tenant, or a path as in `app.tenant`; `tenant` unless stated'),
  JWT_SCOPES_CLAIM: claim
    .optional()
    .describe('claim that lists scopes, as words or a list; `scope` unless stated'),
  JWT_CLOCK_TOLERANCE_SECONDS: number(ACCESS_LIMITS.tokenToleranceSecondsMax)
    .optional()
    .describe("how far the issuer's clock may be off; 30 unless stated"),
  DEFAULT_PLAN: plan.describe(
    'JSON: what a tenant without a plan of its own may use: `read` and `write` rates of `tenant` ' +
      'and `key`, `backlogMax`; what is left out is unlimited',
  ),
  API_KEY_GRACE_SECONDS: number(ACCESS_LIMITS.keyGraceSecondsMax)
    .default(GRACE_DEFAULT_SECONDS)
    .describe('for how long the old secret of a rotated API key is good, unless the request says'),
};
