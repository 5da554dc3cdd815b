import { z } from 'zod';
import { LIMITS } from '../../config/limits.ts';
import { AppError, ERRORS, isErrorCode } from '../../core/kernel/errors.ts';
import { fieldErrors } from '../../core/kernel/field-errors.ts';
import type { OpsPage, OpsPages } from '../../runtime/ops-pages.ts';
import type { HealthReader } from '../../runtime/health.ts';
import { reportMarkdown, reportView } from '../../core/health/render.ts';
import { requiredOf } from '../../runtime/ops-server.ts';
import { type QueueDepth, type ReplicaBounds, adviseReplicas } from '../../queues/depth.ts';
import { found, queryOf } from '../http/endpoint.ts';
import type { Reply } from '../http/reply.ts';
import { statusOfCode } from '../http/problem.ts';

/** What the pages without a key work with. */
export interface PublicServices {
  readonly ops: OpsPages;
  readonly depths: () => Promise<readonly QueueDepth[]>;
  /** Accepted operations that wait for settlement, as last counted. */
  readonly openOperations: () => number;
  readonly lanes: number;
  readonly health: Pick<HealthReader, 'report'>;
}

interface PublicRequest {
  readonly url: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** A page that needs no key. All are GET. */
export interface PublicPage {
  readonly path: string;
  readonly summary: string;
  readonly answer: (services: PublicServices, request: PublicRequest) => Promise<Reply> | Reply;
}

/** Addresses worth knowing, for whoever opens the root in a browser or with curl. */
const ADDRESSES = {
  operations: '/v1/operations',
  problems: '/problems',
  health: '/healthz',
  readiness: '/readyz',
  metrics: '/metrics',
  autoscale: '/internal/autoscale',
  healthReport: '/internal/health-report',
  admin: '/admin',
  queues: '/admin/queues',
} as const;

/** One line each. */
export const PUBLIC_PAGES: readonly PublicPage[] = [
  {
    path: '/',
    summary: 'The addresses of this API',
    answer: () => found({ name: 'sluice', addresses: ADDRESSES }),
  },
  {
    path: '/healthz',
    summary: 'Alive: the event loop turns',
    answer: ({ ops }) => fromOps(ops.health()),
  },
  {
    path: '/readyz',
    summary:
      'Every dependency by name; 503 unless all can be used (`?require=mongodb`: only these)',
    answer: async ({ ops }, { url }) => fromOps(await ops.ready(requiredOf(searchOf(url)))),
  },
  {
    path: '/metrics',
    summary: 'Prometheus metrics',
    answer: async ({ ops }) => fromOps(await ops.metrics()),
  },
  {
    path: '/internal/autoscale',
    summary: 'Depth of every queue, and how many workers each pool should have',
    answer: async ({ depths, openOperations, lanes }, { url }) => {
      const bounds = boundsOf(url);
      const situation = { ...bounds, openOperations: openOperations(), lanes };
      return autoscaleReply(await depths(), situation);
    },
  },
  {
    path: '/internal/health-report',
    summary: 'Verdict on money, flow, execution, liveness and dependencies (`?format=markdown`)',
    answer: async ({ health }, { url }) => {
      const { format } = formatOf(url);
      const report = await health.report();
      if (format === 'json') return found(reportView(report));
      return { status: 200, contentType: MARKDOWN, text: reportMarkdown(report) };
    },
  },
  {
    path: '/problems',
    summary: 'All error codes',
    answer: () => found({ items: Object.keys(ERRORS).filter(isErrorCode).map(problemPage) }),
  },
  {
    path: '/problems/:code',
    summary: 'What an error code means',
    answer: (_services, { params }) => {
      const code = params['code'];
      if (typeof code === 'string' && isErrorCode(code)) return found(problemPage(code));
      throw new AppError('not_found', 'There is no such error code');
    },
  },
];

function problemPage(code: keyof typeof ERRORS) {
  const { title, kind, retry } = ERRORS[code];
  const type = `/problems/${code}`;
  return { type, code, title, status: statusOfCode(code), kind, retryable: retry !== 'never' };
}

function fromOps({ status, contentType, body }: OpsPage): Reply {
  return { status, contentType, text: body };
}

function searchOf(url: string): URLSearchParams {
  const start = url.indexOf('?');
  return new URLSearchParams(start < 0 ? '' : url.slice(start + 1));
}

const replicas = (fallback: number) =>
  z
    .string()
    .regex(/^\d{1,4}$/, `must be a number from 0 to ${LIMITS.replicasMax}`)
    .transform((text) => Number.parseInt(text, 10))
    .refine((count) => count <= LIMITS.replicasMax, `must be at most ${LIMITS.replicasMax}`)
    .default(fallback);

const boundsQuery = z
  .strictObject({ min: replicas(1), max: replicas(LIMITS.replicasDefaultMax) })
  .refine(({ min, max }) => min <= max, { path: ['min'], message: 'must not be above max' });

function boundsOf(url: string): ReplicaBounds {
  const raw = queryOf(url);
  const parsed = boundsQuery.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw new AppError('invalid_request', 'min and max are numbers of replicas', {
    errors: fieldErrors(parsed.error.issues, raw),
  });
}

const MARKDOWN = 'text/markdown; charset=utf-8';

const formatQuery = z.strictObject({ format: z.enum(['json', 'markdown']).default('json') });

function formatOf(url: string): z.infer<typeof formatQuery> {
  const raw = queryOf(url);
  const parsed = formatQuery.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw new AppError('invalid_request', 'format is json or markdown, and nothing else is taken', {
    errors: fieldErrors(parsed.error.issues, raw),
  });
}

/**
 * For autoscalers. KEDA's metrics-api reads one number of it: `valueLocation` is
 * `pools.settlement.recommendedReplicas`, `targetValue` 1.
 */
function autoscaleReply(
  depths: readonly QueueDepth[],
  situation: Parameters<typeof adviseReplicas>[1],
): Reply {
  const advices = adviseReplicas(depths, situation);
  const { min, max } = situation;
  const pools = advices.map(({ pool, ...advice }) => [pool, advice]);
  const queues = depths.map(({ consumers, ...depth }) => ({
    ...depth,
    workers: consumers.length,
  }));
  return found({ bounds: { min, max }, pools: Object.fromEntries(pools) as unknown, queues });
}
