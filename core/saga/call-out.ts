import { type Clock, withTimeout } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { Failpoint } from '../kernel/failpoint.ts';
import { withContext } from '../telemetry/context.ts';
import { type Tracer, noTracer, traced } from '../telemetry/tracer.ts';
import { FencedOut } from './fenced-out.ts';
import type { Way } from './provider-calls.ts';
import type { Run } from './saga-run.ts';
import type { SagaServices } from '../operations/services.ts';
import type { StepTools } from '../operations/step.ts';

interface CallDeps {
  readonly services: SagaServices;
  readonly clock: Clock;
  readonly failpoint: Failpoint;
  readonly tracer?: Tracer;
}

interface CallOut<R> {
  readonly way: Way;
  readonly name: string;
  readonly timeoutMs: number;
  readonly call: (tools: StepTools) => Promise<R>;
}

type Called<R> = { readonly reply: R } | { readonly error: unknown };

/**
 * Calls the outside world, if the lease still allows it.
 *
 * @throws FencedOut when it does not.
 */
export async function callOut<R>(deps: CallDeps, run: Run, out: CallOut<R>): Promise<Called<R>> {
  if (!run.lease.mayCall()) throw new FencedOut();
  await deps.failpoint('saga.before-call');
  const timeout = new AbortController();
  const signal = AbortSignal.any([run.lease.signal, timeout.signal]);
  const key = `${run.operation._id}.${out.name}`;
  const late = (): AppError => {
    const error = new AppError('timeout', `No answer within ${out.timeoutMs} ms`);
    timeout.abort(error);
    return error;
  };
  let called: Called<R>;
  try {
    const call = callTraced(deps, run, { ...out, tools: { key, signal, services: deps.services } });
    called = { reply: await withTimeout(call, out.timeoutMs, late) };
  } catch (error) {
    called = { error };
  }
  await out.way.leave('error' in called ? called.error : undefined);
  await deps.failpoint('saga.after-call');
  return called;
}

/** The step's span, where the operation's trace is recorded; calls to providers are parts of it. */
function callTraced<R>(
  { tracer = noTracer }: CallDeps,
  run: Run,
  { name, call, tools }: CallOut<R> & { readonly tools: StepTools },
): Promise<R> {
  const attributes = {
    'sluice.operation.id': run.operation._id,
    'sluice.operation.type': run.operation.type,
    'sluice.step': name,
  };
  const span = { name: `step ${name}`, kind: 'internal', parent: run.trace, attributes } as const;
  return traced(tracer, span, async (one) =>
    one === undefined
      ? call(tools)
      : withContext({ traceparent: one.traceparent }, () => call(tools)),
  );
}
