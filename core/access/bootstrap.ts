import { present } from '../kernel/assert.ts';
import type { Clock } from '../kernel/clock.ts';
import { apiKeyDoc, parseApiKey } from './api-key.ts';
import type { ApiKeyStore } from './api-key-store.ts';
import { DEFAULT_TENANT_ID } from '../tenants/tenant.ts';
import type { TenantStore } from '../tenants/tenant-store.ts';

interface BootstrapDeps {
  readonly keys: ApiKeyStore;
  readonly tenants: TenantStore;
  readonly clock: Clock;
}

/**
 * Makes sure that the default tenant is there, and, when a key is given, that it is an admin key of
 * that tenant. Repeating it changes nothing: a key that was revoked stays revoked.
 */
export async function bootstrapTenant(
  { keys, tenants, clock }: BootstrapDeps,
  apiKey: string | undefined,
): Promise<void> {
  const at = new Date(clock.now());
  await tenants.ensure({ _id: DEFAULT_TENANT_ID, currencies: [], createdAt: at });
  if (apiKey === undefined) return;
  const { id, secret } = present(parseApiKey(apiKey), 'a key that the environment has validated');
  await keys.ensure(
    apiKeyDoc({
      id,
      secret,
      tenantId: DEFAULT_TENANT_ID,
      scopes: ['admin'],
      name: 'bootstrap',
      at,
    }),
  );
}
