import { AppError } from '../kernel/errors.ts';
import { callOut } from './call-out.ts';
import { type SagaState, stepDone, stepRefused, stepStarted } from './machine.ts';
import { FREE_WAY } from './provider-calls.ts';
import { ReadsAhead } from './reads-ahead.ts';
import { type Run, failureOf, missingSignal } from './saga-run.ts';
import type { StepContext, StepReply } from '../operations/step.ts';
import { unsureAfter } from './step-runner.ts';
import type { CallTurn, TurnDeps } from './turn.ts';

type LookTurn = CallTurn & {
  readonly context: StepContext<unknown>;
  /** Of the saga, when it looks. */
  readonly state: SagaState;
};

/** What came of a look, to be stored with what comes next. */
export interface Looked {
  after(state: SagaState): SagaState;
  /** It waits for somebody. */
  readonly reply?: Extract<StepReply, { readonly kind: 'wait' }>;
  /** What it says rests on nobody having said anything else. */
  readonly signal: string | undefined;
  /** It has found something out, be it a refusal. */
  readonly isDecided: boolean;
}

/**
 * A look has no intent: if it is lost nothing was, and it is made again. It is made before the write
 * that it is a part of, so it sees what is stored.
 */
export async function lookUp(deps: TurnDeps, run: Run, turn: LookTurn): Promise<Looked> {
  const { step, attempt, definition, context, state: before } = turn;
  const start = { step, attempt, epoch: run.epoch, at: run.now(), by: run.worker };
  const signal = missingSignal(run, before, step);
  const called = await callOut(deps, run, {
    way: FREE_WAY,
    name: definition.name,
    timeoutMs: definition.timeoutMs,
    call: (tools) => definition.run(context, tools),
  });
  const at = run.now();
  const started = (state: SagaState): SagaState => stepStarted(run.shapes, state, start);
  if ('error' in called) {
    const { error } = called;
    if (error instanceof ReadsAhead) throw error;
    const isRefusal = error instanceof AppError && error.kind === 'rule';
    if (!isRefusal) {
      const unsure = unsureAfter(deps, run, { ...turn, error });
      return { after: (state) => unsure(started(state)), signal, isDecided: false };
    }
    const refusal = { step, at, error: failureOf(error), isOwn: true };
    return {
      after: (state) => stepRefused(run.shapes, started(state), refusal),
      ...{ signal, isDecided: true },
    };
  }
  const { reply } = called;
  switch (reply.kind) {
    case 'done':
      return {
        after: (state) => stepDone(started(state), step, { at, result: reply.result }),
        ...{ signal, isDecided: true },
      };
    case 'refused':
      return {
        after: (state) =>
          stepRefused(run.shapes, started(state), { step, at, error: reply.failure }),
        ...{ signal, isDecided: true },
      };
    case 'wait':
      return { after: started, reply, signal, isDecided: true };
  }
}
