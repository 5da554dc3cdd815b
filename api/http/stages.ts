import type { Authenticator } from '../../core/access/api-key-cache.ts';
import type { Principal } from '../../core/access/api-key.ts';
import { hasScope, hasSomeType } from '../../core/access/scopes.ts';
import { AppError } from '../../core/kernel/errors.ts';
import type { FindOperator } from '../admin/operator.ts';
import type { Endpoint } from './endpoint.ts';
import type { Exchange, ExchangeDeps, Stage } from './exchange.ts';
import { type Tracer, traceIdOf } from '../../core/telemetry/tracer.ts';
import { bearerOf, correlationIdOf, traceparentOf } from './headers.ts';
import { type LimitDeps, limit } from './limit.ts';
import { admittedInTime } from './in-time.ts';

export interface StageDeps extends ExchangeDeps, LimitDeps {
  readonly authenticator: Pick<Authenticator, 'authenticate'>;
  /** Who asks without a key. */
  readonly findOperator: FindOperator;
  readonly tracer?: Tracer;
}

/** What a stage does at an endpoint; undefined: nothing. Asked once, when the routes are made. */
type StageOf = (endpoint: Endpoint, deps: StageDeps) => Stage | undefined;

/**
 * What every request to an endpoint goes through, in this order: one line each. Then its input is
 * read and it runs (`endpoint.ts`); whatever comes of that is answered (`exchange.ts`).
 */
const STAGES: readonly StageOf[] = [
  (_endpoint, deps) => correlate(deps),
  (_endpoint, deps) => measure(deps),
  trace,
  authenticate,
  limit,
  authorize,
];

export function stagesOf(endpoint: Endpoint, deps: StageDeps): readonly Stage[] {
  return STAGES.flatMap((stageOf) => stageOf(endpoint, deps) ?? []);
}

/** Of pages and refusals, which are no endpoints. */
export function pageStages(deps: ExchangeDeps): readonly Stage[] {
  return [correlate(deps), measure(deps)];
}

/** Every request has an id, the one that it brings or a new one: answers, logs and events carry it. */
function correlate({ requestId }: ExchangeDeps): Stage {
  return {
    name: 'correlate',
    before: (one) => {
      one.correlationId = correlationIdOf(one.request) ?? requestId();
      return undefined;
    },
  };
}

function measure({ clock, metrics, logger }: ExchangeDeps): Stage {
  return {
    name: 'measure',
    done: ({ request, route, startedMs, correlationId, span }, { status }) => {
      const method = request.method ?? 'GET';
      const seconds = (clock.monotonicMs() - startedMs) / 1_000;
      metrics.httpDuration.observe({ method, route, status }, seconds);
      const ids = { correlationId, ...(span && { traceId: traceIdOf(span.traceparent) }) };
      logger.debug({ method, route, status, ...ids }, 'request.answered');
    },
  };
}

/** The span of a request, a part of the trace that the client has begun. Pages of machines have none. */
function trace({ method, path, scope }: Endpoint, { tracer }: StageDeps): Stage | undefined {
  if (tracer?.isOn !== true || scope === 'none') return undefined;
  const attributes = { 'http.request.method': method, 'http.route': path };
  return {
    name: 'trace',
    before: (one) => {
      const parent = traceparentOf(one.request);
      one.span = tracer.start(`${method} ${path}`, { kind: 'server', parent, attributes });
      return undefined;
    },
    done: ({ span, correlationId }, { status }) => {
      span?.end({
        attributes: { 'http.response.status_code': status, 'sluice.correlation_id': correlationId },
        error: status >= 500 ? String(status) : undefined,
      });
    },
  };
}

/** Who asks. Most keys are known, so that there is nothing to wait for. */
function authenticate({ scope }: Endpoint, deps: StageDeps): Stage | undefined {
  const { authenticator, findOperator } = deps;
  if (scope === 'none') return undefined;
  return {
    name: 'authenticate',
    before: (one) => {
      const key = bearerOf(one.request);
      const found =
        key === undefined
          ? findOperator(one.request)
          : authenticator.authenticate(key, one.request.socket.remoteAddress);
      if (found instanceof Promise) {
        return admittedInTime(found).then((principal) => {
          admit(one, principal);
        });
      }
      admit(one, found);
      return undefined;
    },
  };
}

function admit(one: Exchange, principal: Principal | undefined): void {
  if (principal === undefined) {
    throw new AppError('unauthenticated', 'Send a valid key: `Authorization: Bearer slk_…`', {
      context: { isMissing: one.request.headers.authorization === undefined },
    });
  }
  one.principal = principal;
}

/** Whether they may. What follows from the input is looked at where that is known. */
function authorize({ scope, isByType }: Endpoint): Stage | undefined {
  if (scope === 'none') return undefined;
  return {
    name: 'authorize',
    before: ({ principal }) => {
      const { scopes = [] } = principal ?? {};
      if (hasScope(scopes, scope) || (isByType && hasSomeType(scopes))) return undefined;
      throw new AppError('forbidden', `The key needs the scope "${scope}"`, {
        context: { scope },
      });
    },
  };
}
