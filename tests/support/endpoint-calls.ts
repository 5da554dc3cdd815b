import type { Endpoint } from '../../api/http/endpoint.ts';
import type { Sample } from './http-fixtures.ts';

/** What stands for the parameters of a path: a resource of the default tenant. */
const RESOURCES: readonly (readonly [prefix: string, id: (from: Sample) => string])[] = [
  ['/v1/operations/', ({ creditId }) => creditId],
  ['/v1/users/', ({ userId }) => userId],
  ['/v1/wallets/', ({ walletId }) => walletId],
  ['/v1/transfers/', ({ transferId }) => transferId],
  ['/v1/holds/', ({ holdId }) => holdId],
  ['/v1/webhook-endpoints/', ({ endpointId }) => endpointId],
  ['/v1/deliveries/', ({ deliveryId }) => deliveryId],
  ['/v1/templates/', ({ templateId }) => templateId],
  ['/v1/suppressions/', ({ suppressionId }) => suppressionId],
  ['/v1/keys/', ({ apiKeyId }) => apiKeyId],
  ['/v1/tenants/', () => 'default'],
  ['/v1/transactions/', ({ creditId }) => `${creditId}.1`],
  ['/v1/pauses/', ({ pauseId }) => pauseId],
  ['/v1/settings/', () => 'saga.concurrency'],
];

/** The path of an endpoint with resources of the sample in it. */
export function samplePath({ path }: Pick<Endpoint, 'path'>, sample: Sample): string {
  if (!path.includes(':')) return path;
  const resource = RESOURCES.find(([prefix]) => path.startsWith(prefix));
  if (resource === undefined) throw new Error(`no resource for ${path}: add it to RESOURCES`);
  return path.replace(/:\w+/, resource[1](sample)).replace(/:\w+/, 'some-name');
}

/** Where an empty object is not even worth looking the resource up. */
const BODIES: Readonly<Record<string, object>> = {
  '/v1/tenants/:id': { status: 'active' },
  '/v1/pauses/:id/resume': { reason: 'looked at it' },
  '/v1/operations/:id/retry': { note: 'looked at it' },
  '/v1/operations/:id/resolve': { note: 'looked at it', status: 'canceled' },
};

/** A body with which the endpoint gets as far as looking for its resource. */
export function bodyFor({ path }: Pick<Endpoint, 'path'>): object {
  return BODIES[path] ?? {};
}
