import type { OutboxRow } from '../../events/outbox.ts';
import type { Span, Tracer } from '../../telemetry/tracer.ts';
import type { DeliveryDoc } from '../delivery/delivery.ts';

interface Drafted {
  readonly single: readonly DeliveryDoc[];
}

interface Routed {
  /** Deliveries of operations whose trace is recorded go on in it. */
  mark<D extends Drafted>(drafts: D): D;
  end(): void;
}

const NOTHING: Routed = Object.freeze({
  mark: <D extends Drafted>(drafts: D): D => drafts,
  end: () => undefined,
});

/** A span for each operation of a row whose trace is recorded. */
export function traceRoute(tracer: Tracer | undefined, { _id, traces }: OutboxRow): Routed {
  if (tracer?.isOn !== true || traces === undefined) return NOTHING;
  const spans = new Map<string, Span>();
  for (const [operationId, parent] of Object.entries(traces)) {
    const attributes = { 'sluice.operation.id': operationId, 'sluice.outbox.row': _id };
    spans.set(
      operationId,
      tracer.start('notification.route', { kind: 'consumer', parent, attributes }),
    );
  }
  return {
    mark: (drafts) => ({
      ...drafts,
      single: drafts.single.map((one) => {
        const span = one.operationId === undefined ? undefined : spans.get(one.operationId);
        return span === undefined ? one : { ...one, traceparent: span.traceparent };
      }),
    }),
    end: () => {
      for (const span of spans.values()) span.end();
    },
  };
}
