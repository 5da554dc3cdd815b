/** Of a span: numbers, names and ids of ours; never amounts or personal data. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanStart {
  readonly kind: 'server' | 'client' | 'internal' | 'consumer';
  /** W3C trace context; absent: it begins a trace. */
  readonly parent?: string | undefined;
  /** Traces that it belongs to as well. */
  readonly links?: readonly string[];
  readonly attributes?: SpanAttributes;
  /** Epoch milliseconds; by default now. */
  readonly startMs?: number;
  /** Recorded, whatever the share of traces that are. */
  readonly isAlways?: true;
}

export interface SpanEnd {
  readonly attributes?: SpanAttributes;
  /** It failed: what is said is a code, not a text of the other side. */
  readonly error?: string | undefined;
  /** Epoch milliseconds; by default now. */
  readonly endMs?: number;
}

export interface Span {
  /** For what happens because of it, in this process or in another. */
  readonly traceparent: string;
  end(how?: SpanEnd): void;
}

/** Where spans are made. There is one that does nothing: whoever has none of its own uses that. */
export interface Tracer {
  /** False: nothing is recorded, and nobody need work anything out for a span. */
  readonly isOn: boolean;
  start(name: string, how: SpanStart): Span;
}

const NO_SPAN: Span = Object.freeze({ traceparent: '', end: () => undefined });

export const noTracer: Tracer = Object.freeze({ isOn: false, start: () => NO_SPAN });

const SAMPLED = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]([13579bdf])$/;

/** Whoever began the trace has decided that it is recorded. */
export function isSampled(traceparent: string | undefined): traceparent is string {
  return traceparent !== undefined && SAMPLED.test(traceparent);
}

/** For log lines. */
export function traceIdOf(traceparent: string): string {
  return traceparent.slice(3, 35);
}

/** Work inside a span, which ends with it; without a sampled parent there is none. */
export async function traced<T>(
  tracer: Tracer,
  { name, ...how }: SpanStart & { readonly name: string },
  work: (span: Span | undefined) => Promise<T>,
): Promise<T> {
  if (!tracer.isOn || !isSampled(how.parent)) return work(undefined);
  const span = tracer.start(name, how);
  try {
    const result = await work(span);
    span.end();
    return result;
  } catch (error) {
    span.end({ error: error instanceof Error ? error.name : 'unknown' });
    throw error;
  }
}
