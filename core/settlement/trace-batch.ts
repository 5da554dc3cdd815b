import { TRACE_LIMITS } from '../../config/trace-limits.ts';
import { type Tracer, isSampled } from '../telemetry/tracer.ts';
import type { Outcome } from './decide.ts';

interface Batch {
  readonly startMs: number;
  readonly token: string;
  readonly worker: string;
}

/**
 * A batch is a trace of its own, with a link to each operation whose trace is recorded; each of those
 * has a span for its part, with a link back. A batch without such an operation has none.
 */
export function traceBatch(
  tracer: Tracer | undefined,
  outcomes: readonly Outcome[],
  { startMs, token, worker }: Batch,
): void {
  if (tracer?.isOn !== true) return;
  const recorded = outcomes.filter(({ operation }) => isSampled(operation.traceparent));
  if (recorded.length === 0) return;
  const links = recorded
    .slice(0, TRACE_LIMITS.linksMax)
    .flatMap(({ operation }) => operation.traceparent ?? []);
  const batch = tracer.start('settlement.batch', {
    kind: 'consumer',
    isAlways: true, // one of its operations is recorded
    links,
    startMs,
    attributes: {
      'sluice.batch.id': token,
      'sluice.batch.size': outcomes.length,
      'sluice.worker': worker,
    },
  });
  for (const { operation, status, error } of recorded) {
    const attributes = {
      'sluice.operation.id': operation._id,
      'sluice.operation.type': operation.type,
      'sluice.operation.status': status,
      'sluice.wait_ms': Math.max(0, startMs - operation.createdAt.getTime()),
      ...(error !== undefined && { 'sluice.error.code': error.code }),
    };
    const links = [batch.traceparent];
    const how = {
      kind: 'consumer',
      parent: operation.traceparent,
      links,
      attributes,
      startMs,
    } as const;
    tracer.start('settlement.settle', how).end();
  }
  batch.end();
}
