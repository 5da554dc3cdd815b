import { z } from 'zod';
import { ACCESS_LIMITS } from '../../../config/access-limits.ts';
import { SCOPES, isBaseScope, isTypeScope, typesNamed } from '../../../core/access/scopes.ts';
import type { KeyKeeper } from '../../../core/access/key-admin.ts';
import { OPERATION_TYPES } from '../../../core/operation-types/registry.ts';
import { instant } from '../../../core/operations/inputs.ts';
import type { RequestContext } from '../../http/request-context.ts';

const known =
  `must be one of ${SCOPES.join(', ')}, or operations:write:<type>, where the type may be a group ` +
  'as in operations:write:hold.*';

/** A type that there is not would make a key that can do nothing, without a word. */
const scope = z.string().transform((text, ctx) => {
  if (isBaseScope(text)) return text;
  if (isTypeScope(text) && typesNamed(text, OPERATION_TYPES).length > 0) return text;
  ctx.addIssue({ code: 'custom', message: known });
  return z.NEVER;
});

export const keyInput = z.strictObject({
  name: z.string().trim().min(1).max(ACCESS_LIMITS.keyNameCharsMax),
  scopes: z
    .array(scope)
    .min(1)
    .max(ACCESS_LIMITS.keyScopesMax)
    .transform((scopes) => [...new Set(scopes)]),
  expiresAt: instant.transform((text) => new Date(text)).exactOptional(),
});

const graceText = `must be a whole number of seconds from 0 to ${ACCESS_LIMITS.keyGraceSecondsMax}`;

export const rotationInput = z.strictObject({
  graceSeconds: z
    .int(graceText)
    .min(0, graceText)
    .max(ACCESS_LIMITS.keyGraceSecondsMax, graceText)
    .exactOptional(),
});

export function keeperOf({ tenant, keyId, scopes, expiresAt, ...rest }: RequestContext): KeyKeeper {
  const { correlationId } = rest;
  const { tenantId } = tenant;
  const end = expiresAt === undefined ? {} : { expiresAt };
  return { tenantId, actor: keyId, scopes, correlationId, ...end };
}
