import { AppError } from '../../../core/kernel/errors.ts';
import type { TenantScope } from '../../../core/tenants/tenant.ts';
import type { ApiServices, SignedProofs } from '../../services/services.ts';

/** @throws AppError `proof_not_ready` where nothing is sealed. */
export async function proofsOf(
  { proofs }: Pick<ApiServices, 'proofs'>,
  tenant: TenantScope,
): Promise<SignedProofs> {
  const open = await proofs(tenant);
  if (open !== undefined) return open;
  throw new AppError('proof_not_ready', 'Nothing is sealed here: there is no LEDGER_LOG_KEY', {
    retryAfterSeconds: 60,
  });
}
