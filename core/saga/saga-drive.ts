import { namedUsers } from '../events/event-users.ts';
import {
  type AloneCommand,
  type FusePlan,
  type Tail,
  planFuse,
  withoutIntent,
} from './fuse-plan.ts';
import type { CommitPart, JournalChange, Reached } from './journal.ts';
import {
  CANCELED,
  type Command,
  type SagaState,
  stepStarted,
  turnedBack,
  undoStarted,
} from './machine.ts';
import { ReadsAhead } from './reads-ahead.ts';
import { type Run, resultsOf } from './saga-run.ts';
import { type StepDeps, callStep, guardOfWaiting, waitingChange } from './step-runner.ts';
import { callUndo } from './undo-runner.ts';

/** What became of one write and of what it was for. */
export type Moved =
  | { readonly kind: 'moved' | 'parked-for-signal' }
  | { readonly kind: 'ended'; readonly change: JournalChange }
  /** There was nothing to write before it. */
  | { readonly kind: 'alone'; readonly command: AloneCommand };

const MOVED: Moved = { kind: 'moved' };

/** One write of a saga, and the call whose intent stood in it. */
export async function moveOn(deps: StepDeps, run: Run): Promise<Moved> {
  const plan = await planned(deps, run);
  if (plan === undefined) {
    await storeAlone(deps, run);
    return MOVED;
  }
  const { tail } = plan;
  try {
    return await carryOut(deps, run, plan);
  } finally {
    if ('way' in tail) tail.way.abandon();
  }
}

/** Undefined: the next step wants to know a result that is not stored. */
async function planned(deps: StepDeps, run: Run): Promise<FusePlan | undefined> {
  try {
    return await planFuse(deps, run);
  } catch (error) {
    if (error instanceof ReadsAhead) return undefined;
    throw error;
  }
}

/** What is known, and nothing else: no guard, since nothing is decided by it. */
export async function storeAlone(deps: StepDeps, run: Run): Promise<void> {
  await deps.commit({ guard: {}, change: going(run, { state: run.state, events: [] }) });
}

async function carryOut(deps: StepDeps, run: Run, plan: FusePlan): Promise<Moved> {
  const { tail } = plan;
  if (tail.kind === 'none' && !plan.isToBeWritten) {
    // Thoughts of ours, such as that it goes back: they are had again if they are lost.
    run.state = knownAfter(run.state, plan);
    return tail.then === undefined ? MOVED : { kind: 'alone', command: tail.then };
  }
  const outcome = await deps.commit(partOf(run, plan));
  if (outcome.kind === 'written') return follow({ deps, run }, tail, outcome.change);
  // Of what is done in full nothing else would say so.
  const isHeard = outcome.kind === 'overtaken' && run.requests.isCancelRequested;
  if (isHeard && isSuccess(plan)) run.state = turnedBack(run.shapes, run.state, CANCELED);
  return MOVED;
}

function isSuccess({ tail, parts }: FusePlan): boolean {
  return tail.kind === 'end' && tail.command.status === 'succeeded' && parts.length === 0;
}

function knownAfter(state: SagaState, { parts }: FusePlan): SagaState {
  return parts.reduce((last, part) => (part.kind === 'know' ? part.after(last) : last), state);
}

/** A plan without postings needs no ledger: it is a plain write, unless something is told by it. */
function partOf(run: Run, plan: FusePlan): CommitPart {
  const { parts, tail, guard } = plan;
  const fuse = {
    state: run.state,
    parts,
    changeOf: (reached: Reached) => changeOf(run, tail, reached),
  };
  const all = tail.kind === 'wait' ? { ...guard, ...guardOfWaiting(run, tail) } : guard;
  const holdsOutcome = run.state !== run.stored;
  if (parts.some(({ kind }) => kind === 'post')) return { guard: all, fuse, holdsOutcome };
  const state = knownAfter(run.state, plan);
  return { guard: all, change: fuse.changeOf({ state, events: [], isWhole: true }) };
}

function changeOf(run: Run, tail: Tail, reached: Reached): JournalChange {
  const { state, isWhole } = reached;
  if (!isWhole) return going(run, reached);
  const start = { epoch: run.epoch, at: run.now(), by: run.worker };
  switch (tail.kind) {
    case 'none':
      return going(run, reached);
    case 'call': {
      const { step, attempt } = tail;
      const started = stepStarted(run.shapes, state, { ...start, step, attempt });
      return going(run, { ...reached, state: started });
    }
    case 'undo-call': {
      const { step, attempt } = tail;
      return going(run, { ...reached, state: undoStarted(state, { ...start, step, attempt }) });
    }
    case 'wait':
      return { ...waitingChange(run, tail, state), events: reached.events };
    case 'end':
      return ending(run, tail.command, reached);
  }
}

type Going = Pick<Reached, 'state' | 'events'>;

function going(run: Run, { state, events }: Going): JournalChange {
  return { state, lease: 'keep', status: state.status, events, at: run.now() };
}

type Finish = Extract<Command, { readonly do: 'finish' }>;

function ending(run: Run, { status, error }: Finish, { state, events }: Going): JournalChange {
  const { operation } = run;
  const context = { operationId: operation._id, input: operation.input, results: resultsOf(state) };
  const result = status === 'succeeded' ? run.plan.result(context) : undefined;
  return endChange(
    run,
    {
      status,
      ...(result !== undefined && { result }),
      ...(error !== undefined && { error }),
    },
    { state, events },
  );
}

type Ending = Pick<JournalChange, 'status' | 'result' | 'error' | 'parked'>;

/** The write by which it is over, or before a human. */
export function endChange(run: Run, ending: Ending, { state, events }: Going): JournalChange {
  const { type, input } = run.operation;
  const told = { name: `operation.${ending.status}`, data: { type, ...namedUsers(input) } };
  return {
    ...ending,
    state,
    lease: 'end',
    settledBy: { worker: run.worker },
    events: [...events, told],
    at: run.now(),
  };
}

/** By what is stored, which is not always what was planned: a refusal may have ended the fuse. */
async function follow(
  { deps, run }: { readonly deps: StepDeps; readonly run: Run },
  tail: Tail,
  change: JournalChange,
): Promise<Moved> {
  switch (tail.kind) {
    case 'none':
      return MOVED;
    case 'end':
      return change.lease === 'end' ? { kind: 'ended', change } : MOVED;
    case 'wait':
      return change.lease === 'wait' ? { kind: 'parked-for-signal' } : MOVED;
    case 'call':
    case 'undo-call':
      return isIntended(run, tail) ? makeCall(deps, run, tail) : MOVED;
  }
}

type CallTail = Extract<Tail, { readonly kind: 'call' | 'undo-call' }>;

function isIntended({ state, epoch }: Run, { kind, step, attempt }: CallTail): boolean {
  const record = state.steps[step];
  if (record?.epoch !== epoch) return false;
  return kind === 'call'
    ? record.status === 'started' && record.attempt === attempt
    : record.status === 'undoing' && record.undoAttempt === attempt;
}

async function makeCall(deps: StepDeps, run: Run, tail: CallTail): Promise<Moved> {
  const turn = { ...tail, before: withoutIntent(run.state, tail) };
  if (tail.kind === 'call') return { kind: await callStep(deps, run, turn) };
  await callUndo(deps, run, turn);
  return MOVED;
}
