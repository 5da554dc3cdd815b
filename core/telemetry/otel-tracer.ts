import {
  type Context,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { TRACE_LIMITS } from '../../config/trace-limits.ts';
import type { Span, SpanStart, Tracer } from './tracer.ts';

interface OtelOptions {
  /** Of the collector, without the path of a signal. */
  readonly endpoint: string;
  /** Of traces that begin here; whoever hands us one has decided. */
  readonly ratio: number;
  readonly service: string;
  readonly processId: string;
}

export interface OtelTracer extends Tracer {
  /** Sends what is left, within the time that an export may take. */
  close(): Promise<void>;
}

const KINDS = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  internal: SpanKind.INTERNAL,
  consumer: SpanKind.CONSUMER,
} as const satisfies Record<SpanStart['kind'], SpanKind>;

/** Imported only where tracing is on: without it the SDK costs nothing, not even its loading. */
export function createOtelTracer({ endpoint, ratio, service, processId }: OtelOptions): OtelTracer {
  const url = `${endpoint.replace(/\/+$/, '')}/v1/traces`;
  const processor = new BatchSpanProcessor({
    exporter: new OTLPTraceExporter({ url, timeoutMillis: TRACE_LIMITS.exportMs }),
    maxQueueSize: TRACE_LIMITS.queueMax,
    maxExportBatchSize: TRACE_LIMITS.batchMax,
    scheduledDelayMillis: TRACE_LIMITS.delayMs,
    exportTimeoutMillis: TRACE_LIMITS.exportMs,
  });
  const shared = {
    resource: resourceFromAttributes({
      'service.namespace': 'sluice',
      'service.name': `sluice-${service}`,
      'service.instance.id': processId,
    }),
    spanLimits: { linkCountLimit: TRACE_LIMITS.linksMax },
    spanProcessors: [processor],
  };
  const root = new TraceIdRatioBasedSampler(ratio);
  const share = new TracerProvider({ ...shared, sampler: new ParentBasedSampler({ root }) });
  const every = new TracerProvider({ ...shared, sampler: new AlwaysOnSampler() });
  const [tracer, always] = [share.getTracer('sluice'), every.getTracer('sluice')];
  return Object.freeze({
    isOn: true,
    start: (name: string, how: SpanStart): Span => {
      const { kind, parent, links = [], attributes = {}, startMs, isAlways } = how;
      const span = (isAlways === true ? always : tracer).startSpan(
        name,
        {
          kind: KINDS[kind],
          attributes,
          links: links.flatMap((link) => {
            const context = spanContextOf(link);
            return context === undefined ? [] : [{ context }];
          }),
          ...(startMs !== undefined && { startTime: startMs }),
        },
        contextOf(parent),
      );
      const { traceId, spanId, traceFlags } = span.spanContext();
      return {
        traceparent: `00-${traceId}-${spanId}-${(traceFlags & 1) === 1 ? '01' : '00'}`,
        end: ({ attributes: more, error, endMs } = {}) => {
          if (more !== undefined) span.setAttributes(more);
          if (error !== undefined) {
            span.setStatus({ code: SpanStatusCode.ERROR, message: error });
          }
          span.end(endMs);
        },
      };
    },
    close: () => share.shutdown(),
  } satisfies OtelTracer);
}

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

function spanContextOf(traceparent: string): SpanContext | undefined {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
}

function contextOf(parent: string | undefined): Context {
  const context = parent === undefined ? undefined : spanContextOf(parent);
  return context === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, context);
}
