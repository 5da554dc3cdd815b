import { z } from 'zod';

/** Settings of tracing, by the names that OpenTelemetry gives them. */
export const TRACE_ENV = {
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('turns tracing on: address of a collector that takes OTLP over HTTP'),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(0(\.\d{1,6})?|1(\.0{1,6})?)$/, 'must be a share from 0 to 1')
    .transform(Number)
    .prefault('1')
    .describe('share of the traces that begin here which are recorded'),
};
