import type { OperationDoc } from '../operations/operation.ts';
import { type Tracer, isSampled } from '../telemetry/tracer.ts';

interface Group {
  readonly startMs: number;
  readonly groupSize: number;
}

/** One span for each operation of a group commit whose trace is recorded: they shared its time. */
export function traceAccepted(
  tracer: Tracer,
  accepted: readonly OperationDoc[],
  { startMs, groupSize }: Group,
): void {
  if (!tracer.isOn) return;
  for (const { _id, type, traceparent, dispatch } of accepted) {
    if (!isSampled(traceparent)) continue;
    const attributes = {
      'sluice.operation.id': _id,
      'sluice.operation.type': type,
      'sluice.group.size': groupSize,
      'messaging.destination.name': dispatch.queue,
    };
    tracer
      .start('ingest.commit', { kind: 'internal', parent: traceparent, attributes, startMs })
      .end();
  }
}
