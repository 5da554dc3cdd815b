import { z } from 'zod';
import { LIMITS } from '../../config/limits.ts';
import type { OpsPage } from '../../runtime/ops-pages.ts';
import { requiredOf } from '../../runtime/ops-server.ts';
import { type QueueDepth, adviseReplicas } from '../../queues/depth.ts';
import type { View } from '../contract/parts.ts';
import {
  addressesSchema,
  autoscaleSchema,
  healthSchema,
  readinessSchema,
} from '../contract/platform.ts';
import { type Endpoint, found } from '../http/endpoint.ts';
import { noParams } from '../http/list.ts';
import { anyQuery, definePage } from '../http/page.ts';
import type { Reply } from '../http/reply.ts';
import { DOCS_PAGES } from './docs-pages.ts';

/** Addresses worth knowing, for whoever opens the root in a browser or with curl. */
const ADDRESSES = {
  operations: '/v1/operations',
  documentation: '/docs',
  openapi: '/openapi.json',
  problems: '/problems',
  health: '/healthz',
  readiness: '/readyz',
  metrics: '/metrics',
  autoscale: '/internal/autoscale',
  admin: '/admin',
  queues: '/admin/queues',
} as const;

const plain = { params: noParams, query: anyQuery };

const root = definePage({
  path: '/',
  id: 'getAddresses',
  summary: 'The addresses of this API',
  input: plain,
  output: { 200: addressesSchema },
  answer: () => found({ name: 'sluice' as const, addresses: ADDRESSES }),
});

const health = definePage({
  path: '/healthz',
  summary: 'Alive: the event loop turns',
  input: plain,
  output: { 200: healthSchema },
  answer: ({ ops }) => fromOps(ops.health()),
});

const readiness = definePage({
  path: '/readyz',
  summary: 'Every dependency by name; 503 unless all can be used (`?require=mongodb`: only these)',
  input: {
    params: noParams,
    query: z.looseObject({
      require: z
        .union([z.string(), z.array(z.string())])
        .exactOptional()
        .meta({ description: 'names of dependencies, separated by commas: only these count' }),
    }),
  },
  output: { 200: readinessSchema, 503: readinessSchema },
  answer: async ({ ops }, { incoming: { url = '' } }) =>
    fromOps(await ops.ready(requiredOf(searchOf(url)))),
});

const metrics = definePage({
  path: '/metrics',
  summary: 'Prometheus metrics',
  input: plain,
  output: { 200: { mediaType: 'text/plain' } },
  answer: async ({ ops }) => fromOps(await ops.metrics()),
});

const replicas = (fallback: number) =>
  z
    .string()
    .regex(/^\d{1,4}$/, `must be a number from 0 to ${LIMITS.replicasMax}`)
    .transform((text) => Number.parseInt(text, 10))
    .refine((count) => count <= LIMITS.replicasMax, `must be at most ${LIMITS.replicasMax}`)
    .default(fallback);

const autoscale = definePage({
  path: '/internal/autoscale',
  summary: 'Depth of every queue, and how many workers each pool should have',
  input: {
    params: noParams,
    query: z
      .strictObject({ min: replicas(1), max: replicas(LIMITS.replicasDefaultMax) })
      .refine(({ min, max }) => min <= max, { path: ['min'], message: 'must not be above max' }),
  },
  output: { 200: autoscaleSchema },
  errors: ['queue_unavailable'],
  answer: async ({ depths, openOperations, lanes }, { query: bounds }) => {
    const situation = { ...bounds, openOperations: openOperations(), lanes };
    return autoscaleReply(await depths(), situation);
  },
});

/** Every page that needs no key: one line each. */
export const PUBLIC_PAGES: readonly Endpoint[] = [
  root,
  health,
  readiness,
  metrics,
  autoscale,
  ...DOCS_PAGES,
];

function fromOps({ status, contentType, body }: OpsPage): Reply<never> {
  return { status, contentType, text: body };
}

function searchOf(url: string): URLSearchParams {
  const start = url.indexOf('?');
  return new URLSearchParams(start < 0 ? '' : url.slice(start + 1));
}

/**
 * For autoscalers. KEDA's metrics-api reads one number of it: `valueLocation` is
 * `pools.settlement.recommendedReplicas`, `targetValue` 1.
 */
function autoscaleReply(
  depths: readonly QueueDepth[],
  situation: Parameters<typeof adviseReplicas>[1],
): Reply<View<typeof autoscaleSchema>> {
  const advices = adviseReplicas(depths, situation);
  const { min, max } = situation;
  const pools = advices.map(({ pool, ...advice }) => [pool, advice] as const);
  const queues = depths.map(({ consumers, ...depth }) => ({
    ...depth,
    workers: consumers.length,
  }));
  return found({ bounds: { min, max }, pools: Object.fromEntries(pools), queues });
}
