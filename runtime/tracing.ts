import type { Env } from '../config/env.ts';
import { TRACE_LIMITS } from '../config/trace-limits.ts';
import { type Tracer, noTracer } from '../core/telemetry/tracer.ts';
import type { Lifecycle } from './lifecycle.ts';

interface TracingOptions {
  readonly env: Pick<Env, 'OTEL_EXPORTER_OTLP_ENDPOINT' | 'OTEL_TRACES_SAMPLER_ARG'>;
  readonly service: string;
  readonly processId: string;
  readonly lifecycle: Pick<Lifecycle, 'onClose'>;
}

/** The tracer of a process: one that does nothing unless the environment names a collector. */
export async function openTracer(options: TracingOptions): Promise<Tracer> {
  const { env, service, processId, lifecycle } = options;
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_SAMPLER_ARG: ratio } = env;
  if (endpoint === undefined) return noTracer;
  const { createOtelTracer } = await import('../core/telemetry/otel-tracer.ts');
  const tracer = createOtelTracer({ endpoint, ratio, service, processId });
  lifecycle.onClose('tracer', () => tracer.close(), TRACE_LIMITS.exportMs);
  return tracer;
}
