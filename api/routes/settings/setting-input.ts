import { z } from 'zod';
import { SERVICE_CONFIG_LIMITS } from '../../../config/service-config-limits.ts';
import { type SettingName, isSettingName, rowOf } from '../../../config/settings.ts';
import { canonicalHash } from '../../../core/kernel/canonical.ts';
import { AppError } from '../../../core/kernel/errors.ts';
import type { Changed } from '../../../core/service-config/config-store.ts';
import { type ConfigScope, scopeKeyOf, scopeSchema } from '../../../core/service-config/scope.ts';
import { DEFAULT_TENANT_ID } from '../../../core/tenants/tenant.ts';
import type { View } from '../../contract/parts.ts';
import type { changedSchema } from '../../contract/steering.ts';
import { found } from '../../http/endpoint.ts';
import type { RequestContext } from '../../http/request-context.ts';
import type { Reply } from '../../http/reply.ts';

const scopeFields = scopeSchema.shape;

/** Whom it is for; nothing: the installation, or the key's own tenant where that is not the default. */
export const scopeQuery = z.strictObject(scopeFields);

const reason = z.string().trim().min(1).max(SERVICE_CONFIG_LIMITS.reasonCharsMax);
export const settingValue = z.union([z.number(), z.boolean(), z.array(z.number()).max(100)]);
const version = z.int().min(0);

export const changeFields = {
  ...scopeFields,
  reason,
  /** Of the scope, as it was seen; `If-Match` says the same. */
  version: version.exactOptional(),
  dryRun: z.boolean().exactOptional(),
};

export const changeQuery = z.strictObject({
  ...scopeFields,
  reason: reason.meta({ description: 'why' }),
  version: z
    .string()
    .regex(/^\d{1,9}$/, 'must be a version')
    .transform(Number)
    .exactOptional(),
  dryRun: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .exactOptional(),
});

export interface ChangeInput extends ConfigScope {
  readonly reason: string;
  readonly version?: number;
  readonly dryRun?: boolean;
}

/** @throws AppError `not_found`: a name in a path that is none. */
export function nameOf(text: string): SettingName {
  if (isSettingName(text)) return text;
  throw new AppError('not_found', `There is no setting ${text}; GET /v1/settings lists all`);
}

/**
 * Whom a request is about. The default tenant's administrators look after the installation; those of
 * others see and change what is their own.
 *
 * @throws AppError `forbidden`
 */
export function scopeFor(
  { tenant: own }: Pick<RequestContext, 'tenant'>,
  { tenant, provider, channel }: ConfigScope,
): ConfigScope {
  const rest = {
    ...(provider !== undefined && { provider }),
    ...(channel !== undefined && { channel }),
  };
  const { tenantId } = own;
  if (tenantId === DEFAULT_TENANT_ID) return tenant === undefined ? rest : { tenant, ...rest };
  if (tenant === undefined || tenant === tenantId) return { tenant: tenantId, ...rest };
  throw new AppError('forbidden', 'Settings of other tenants are not yours to see or to change');
}

/** @throws AppError `forbidden` unless everything named may be set by a tenant for itself. */
export function checkMay({ tenant }: RequestContext, names: readonly string[]): void {
  if (tenant.tenantId === DEFAULT_TENANT_ID) return;
  const shut = names.filter((name) => isSettingName(name) && !rowOf(name).tenantMay);
  if (shut.length === 0) return;
  const detail = `Only those who run the installation may set ${shut.join(', ')}`;
  throw new AppError('forbidden', detail, { context: { names: shut } });
}

type Change =
  | {
      readonly set: Readonly<Record<string, number | boolean | readonly number[]>>;
      readonly unset: readonly string[];
    }
  | { readonly toVersion: number };

/** Makes a change as a request asks for it, under its idempotency key. */
export async function makeChange(
  request: RequestContext,
  input: ChangeInput,
  change: Change,
): Promise<Reply<View<typeof changedSchema>>> {
  const scope = scopeFor(request, input);
  const { services, tenant, keyId } = request;
  const expected = input.version ?? request.ifMatch();
  const key = `${tenant.tenantId}/${request.idempotencyKey()}`;
  const what = { scope: scopeKeyOf(scope), reason: input.reason, ...change };
  const hash = canonicalHash(JSON.parse(JSON.stringify(what)) as never);
  const changed = await services.settings.change({
    ...('toVersion' in change ? { set: {}, unset: [], ...change } : change),
    ...{ scope, author: `key:${keyId}`, reason: input.reason },
    ...(expected !== undefined && { expectedVersion: expected }),
    ...(input.dryRun === true ? { isDryRun: true } : { request: { key, hash } }),
  });
  return replyOf(changed, input.dryRun === true);
}

function replyOf(changed: Changed, isDryRun: boolean): Reply<View<typeof changedSchema>> {
  const { scope, version, changes, values, isStored } = changed;
  const body = { scope, version, changed: isStored, changes, values };
  const reply = found({ ...body, ...(isDryRun && { dryRun: true as const }) });
  return { ...reply, headers: { ETag: `"${String(version)}"` } };
}
