import { assert, present } from '../kernel/assert.ts';
import { FencedOut } from './fenced-out.ts';
import type { FusePart, Guard } from './journal.ts';
import { type Looked, lookUp } from './look-up.ts';
import {
  type Command,
  type Facts,
  type SagaState,
  nextCommand,
  stepDone,
  stepRefused,
  stepStarted,
  turnedBack,
  undoDone,
  undoFailed,
  undoStarted,
} from './machine.ts';
import { type Way, enterWay } from './provider-calls.ts';
import { aheadOf } from './reads-ahead.ts';
import { type Run, contextOf, factsOf, missingSignal, unstoredSteps } from './saga-run.ts';
import { type LedgerPosting, type StepReply, legOffsetOf } from '../operations/step.ts';
import type { StepRecord } from '../operations/step-record.ts';
import type { CallTurn, Turn, TurnDeps } from './turn.ts';
import { undoRetryAt } from './undo-runner.ts';

/** What comes after the parts of a fuse, in the same write. */
export type Tail =
  /** The intent of a call, which is made once it is stored. */
  | (CallTurn & { readonly kind: 'call' | 'undo-call'; readonly way: Way } & BeforeIntent)
  | { readonly kind: 'end'; readonly command: Extract<Command, { readonly do: 'finish' }> }
  | { readonly kind: 'wait'; readonly step: number; readonly reply: Waiting }
  /** What is to be done alone, once there is nothing before it. */
  | { readonly kind: 'none'; readonly then?: AloneCommand };

export type AloneCommand = Extract<Command, { readonly do: 'pause' | 'park' }> | AskCommand;
type AskCommand = Turn & { readonly do: 'ask' };

/** What an intent changes, as it was. */
interface BeforeIntent {
  readonly old: StepRecord | undefined;
  readonly wasPassed: boolean;
}

function beforeIntent({ state }: Planning, step: number): BeforeIntent {
  return { old: state.steps[step], wasPassed: state.pivotPassed };
}

/** A state without the intent that was stored with it. */
export function withoutIntent(
  state: SagaState,
  { step, old, wasPassed }: BeforeIntent & Pick<Turn, 'step'>,
): SagaState {
  const steps = old === undefined ? state.steps.slice(0, step) : state.steps.with(step, old);
  return { ...state, steps, pivotPassed: wasPassed };
}

type Waiting = Extract<StepReply, { readonly kind: 'wait' }>;

export interface FusePlan {
  readonly parts: readonly FusePart[];
  /** Something in it is more than a thought of ours: it has to be written. */
  readonly isToBeWritten: boolean;
  readonly guard: Guard;
  readonly tail: Tail;
}

interface Planning {
  readonly parts: FusePart[];
  readonly facts: Facts;
  /** Steps whose results are not stored yet, or not even decided. */
  readonly ahead: Set<string>;
  /** As it will be if all goes well. */
  state: SagaState;
  hasPosts: boolean;
  hasLooked: boolean;
  signal: string | undefined;
}

/**
 * What the next write of a saga is made of: ledger steps that follow each other, looks, and then the
 * intent of a call or the end. It ends where a step wants to know more than is stored.
 */
export async function planFuse(deps: TurnDeps, run: Run): Promise<FusePlan> {
  const planning: Planning = {
    ...{ parts: [], facts: factsOf(run), ahead: unstoredSteps(run), state: run.state },
    ...{ hasPosts: false, hasLooked: false, signal: undefined },
  };
  for (;;) {
    const command = nextCommand(run.shapes, planning.state, planning.facts);
    const tail = await extended({ deps, run }, planning, command);
    if (tail !== undefined) return planOf(run, planning, tail);
  }
}

function planOf(run: Run, { parts, state, signal, ...planning }: Planning, tail: Tail): FusePlan {
  // On the way back nobody is heard any more. Else it counts whether what is stored, not what we know,
  // is before the pivot: by that whoever cancels was told that it will be done.
  const isCancelable = state.turnBack === undefined && !run.stored.pivotPassed;
  const guard = {
    ...(isCancelable && { cancel: true as const }),
    ...(signal !== undefined && { signal }),
  };
  return { parts, isToBeWritten: planning.hasPosts || planning.hasLooked, guard, tail };
}

interface Site {
  readonly deps: TurnDeps;
  readonly run: Run;
}

/** Undefined: it goes on. What goes wrong behind something else is met again at the head of a write. */
async function extended(
  site: Site,
  planning: Planning,
  command: Command,
): Promise<Tail | undefined> {
  try {
    return await extend(site, planning, command);
  } catch (error) {
    if (planning.parts.length === 0 || error instanceof FencedOut) throw error;
    return { kind: 'none' };
  }
}

async function extend(site: Site, planning: Planning, command: Command): Promise<Tail | undefined> {
  switch (command.do) {
    case 'finish':
      return { kind: 'end', command };
    case 'turn-back': {
      // What was refused is stored before it is taken back.
      if (planning.hasPosts) return { kind: 'none' };
      const { why } = command;
      know(planning, (state) => turnedBack(site.run.shapes, state, why));
      return undefined;
    }
    case 'run':
      return extendForward(site, planning, command);
    case 'undo':
      return extendBack(site, planning, command);
    case 'ask':
      return { kind: 'none', then: { ...command, do: 'ask' } };
    case 'pause':
    case 'park':
      return { kind: 'none', then: command };
  }
}

function know(planning: Planning, after: (state: SagaState) => SagaState): void {
  planning.parts.push({ kind: 'know', after });
  planning.state = after(planning.state);
}

async function extendForward(
  site: Site,
  planning: Planning,
  { step, attempt }: Turn,
): Promise<Tail | undefined> {
  const { deps, run } = site;
  const definition = present(run.plan.steps[step], 'a step of the plan');
  if (definition.kind === 'ledger') {
    post(run, planning, forwardPosting(run, { step, attempt, posting: definition }));
    planning.ahead.add(definition.name);
    return undefined;
  }
  const turn = { step, attempt, definition };
  if (definition.onlyLooks === true) {
    const context = aheadOf(run, turn, planning);
    const looked = await lookUp(deps, run, { ...turn, context, state: planning.state });
    return takeIn(planning, looked, turn);
  }
  const way = await enterWay(deps, run, { ...turn, context: aheadOf(run, turn, planning) });
  // What the step has waited for must not be overlooked.
  planning.signal ??= missingSignal(run, planning.state, step);
  return { kind: 'call', ...turn, way, ...beforeIntent(planning, step) };
}

function takeIn(planning: Planning, looked: Looked, { step, definition }: CallTurn) {
  planning.signal ??= looked.signal;
  planning.hasLooked ||= looked.isDecided;
  know(planning, (state) => looked.after(state));
  planning.ahead.add(definition.name);
  const { reply } = looked;
  return reply === undefined ? undefined : ({ kind: 'wait', step, reply } as const);
}

async function extendBack(
  site: Site,
  planning: Planning,
  { step, attempt }: Turn,
): Promise<Tail | undefined> {
  const { deps, run } = site;
  const definition = present(run.plan.steps[step], 'a step of the plan');
  if (definition.kind === 'call') {
    const turn = { step, attempt, definition };
    const way = await enterWay(deps, run, { ...turn, context: aheadOf(run, turn, planning) });
    return { kind: 'undo-call', ...turn, way, ...beforeIntent(planning, step) };
  }
  const posting = definition.compensate;
  assert(typeof posting !== 'string', 'a step that is taken back has a compensation');
  post(run, planning, backPosting(deps, run, { step, attempt, posting }));
  return undefined;
}

type PostingTurn = Turn & { readonly posting: LedgerPosting<unknown> };

type Posting = PostingTurn & {
  readonly at: Date;
  readonly direction: 'forward' | 'undo';
  readonly after: Extract<FusePart, { readonly kind: 'post' }>['after'];
};

function post(run: Run, planning: Planning, { posting, at, after, ...turn }: Posting): void {
  const touches = posting.touches(aheadOf(run, turn, planning));
  const next = after(planning.state, { ok: true, value: undefined });
  planning.parts.push({
    kind: 'post',
    ledger: {
      touches,
      legOffset: legOffsetOf(turn.step, turn.direction),
      at,
      decide: (draft, state) => posting.decide(draft, contextOf(run, turn, state)),
    },
    after,
  });
  planning.state = next;
  planning.hasPosts = true;
}

/** Journal and ledger in one transaction; a refusal is recorded by the same compare-and-set. */
function forwardPosting(run: Run, turn: PostingTurn): Posting {
  const { step, attempt } = turn;
  const at = run.now();
  const start = { step, attempt, epoch: run.epoch, at, by: run.worker };
  return {
    ...{ ...turn, at, direction: 'forward' },
    after: (state, decision) => {
      const started = stepStarted(run.shapes, state, start);
      return decision.ok
        ? stepDone(started, step, { at, result: decision.value })
        : stepRefused(run.shapes, started, { step, at, error: decision.failure });
    },
  };
}

function backPosting(deps: TurnDeps, run: Run, turn: PostingTurn): Posting {
  const { step, attempt } = turn;
  const at = run.now();
  const start = { step, attempt, epoch: run.epoch, at, by: run.worker };
  const retryAt = undoRetryAt(deps, run, attempt);
  return {
    ...{ ...turn, at, direction: 'undo' },
    after: (state, decision) => {
      const started = undoStarted(state, start);
      return decision.ok
        ? undoDone(started, step, at)
        : undoFailed(started, step, { error: decision.failure, retryAt, at });
    },
  };
}
