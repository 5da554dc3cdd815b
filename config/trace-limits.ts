/** Of tracing: what is more than this is dropped, never waited for. */
export const TRACE_LIMITS = {
  queueMax: 8_192,
  batchMax: 512,
  delayMs: 1_000,
  exportMs: 3_000,
  /** Operations that the span of one settlement batch names. */
  linksMax: 128,
} as const;
