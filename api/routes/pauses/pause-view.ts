import { DEFAULT_TENANT_ID } from '../../../core/tenants/tenant.ts';
import type { Pause, PauseSubject } from '../../../core/service-config/pause.ts';
import { AppError } from '../../../core/kernel/errors.ts';
import type { View } from '../../contract/parts.ts';
import type { pauseSchema } from '../../contract/steering.ts';
import type { HeldCount } from '../../services/pause-admin.ts';
import type { RequestContext } from '../../http/request-context.ts';

export function pauseView(pause: Pause, held?: HeldCount): View<typeof pauseSchema> {
  const { _id: id, subject, reason, author, since, isActive, resuming } = pause;
  const { resumedAt, resumedBy, resumeReason } = pause;
  return {
    id,
    status: isActive === true ? (resuming === undefined ? 'active' : 'resuming') : 'over',
    ...{ subject, reason, author },
    since: since.toISOString(),
    ...(resuming !== undefined && { perSecond: resuming.perSecond }),
    ...(resumedAt !== undefined && { resumedAt: resumedAt.toISOString() }),
    ...(resumedBy !== undefined && { resumedBy }),
    ...(resumeReason !== undefined && { resumeReason }),
    ...(held !== undefined && { held }),
  };
}

/** The tenant to which administrators are held; undefined: they look after the installation. */
export function ownTenantOf({ tenant }: Pick<RequestContext, 'tenant'>): string | undefined {
  return tenant.tenantId === DEFAULT_TENANT_ID ? undefined : tenant.tenantId;
}

/**
 * What a tenant's administrators pause is their own.
 *
 * @throws AppError `forbidden`
 */
export function ownSubject(request: RequestContext, subject: PauseSubject): PauseSubject {
  const own = ownTenantOf(request);
  if (own === undefined) return subject;
  if (subject.tenant !== undefined && subject.tenant !== own) {
    throw new AppError('forbidden', 'Other tenants are not yours to pause');
  }
  const shared = (['provider', 'lane'] as const).filter((one) => subject[one] !== undefined);
  if (shared.length > 0) {
    throw new AppError('forbidden', `Only who runs the installation pauses a ${shared.join(', ')}`);
  }
  return { ...subject, tenant: own };
}

/** What has nothing to do with a tenant does not exist for it. */
export function foundPause(request: RequestContext, pause: Pause | undefined): Pause {
  const own = ownTenantOf(request);
  const isTheirs = own === undefined || pause?.subject.tenant === own;
  if (pause !== undefined && isTheirs) return pause;
  throw new AppError('not_found', 'There is no such pause');
}
