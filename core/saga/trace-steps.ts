import type { StepRecord } from '../operations/step-record.ts';
import { type Tracer, noTracer, traced } from '../telemetry/tracer.ts';
import type { Run } from './saga-run.ts';

/** Spans of the steps that were postings to our own ledger; those that called out have theirs. */
export function traceSteps(
  tracer: Tracer | undefined,
  { operation, plan, state, trace }: Run,
  before: readonly StepRecord[],
): void {
  if (tracer?.isOn !== true || trace === undefined) return;
  for (const [index, { name, status, startedAt, finishedAt }] of state.steps.entries()) {
    const isNew = before[index]?.status !== status;
    const isPosting = plan.steps[index]?.kind === 'ledger';
    if (!isNew || !isPosting || finishedAt === undefined) continue;
    const attributes = {
      'sluice.operation.id': operation._id,
      'sluice.step': name,
      'sluice.step.status': status,
    };
    const span = tracer.start(`step ${name}`, {
      kind: 'internal',
      parent: trace,
      attributes,
      startMs: startedAt.getTime(),
    });
    span.end({ endMs: finishedAt.getTime() });
  }
}

/** One span a run, a part of the operation's trace. */
export function tracedRun(
  tracer: Tracer | undefined,
  run: Run,
  work: () => Promise<void>,
): Promise<void> {
  const { _id, type, traceparent: parent } = run.operation;
  const attributes = { 'sluice.operation.id': _id, 'sluice.operation.type': type };
  const span = { name: 'saga.run', kind: 'consumer', parent, attributes } as const;
  return traced(tracer ?? noTracer, span, (one) => {
    run.trace = one?.traceparent;
    return work();
  });
}
