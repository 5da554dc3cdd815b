import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Command,
  type Facts,
  NEW_SAGA,
  type SagaState,
  type StepShape,
  nextCommand,
  stepAbsent,
  stepDone,
  stepRefused,
  stepStarted,
  stepUnsure,
  stepWaits,
  turnedBack,
  undoDone,
  undoFailed,
  undoStarted,
} from '../../../../core/saga/machine.ts';

/**
 * The machine against a small world: steps that take effect or not, answers that get lost, workers
 * that die at every port call (before the intent, before the call, after it, before the journal).
 */
const AT = new Date(0);
const FAILED = { code: 'internal', detail: 'on request' } as const;

interface World {
  /** Whether the effect of a step stands, as the other side has it. */
  readonly effects: boolean[];
  readonly tombstones: boolean[];
}

/** What happens at each port call, drawn by fast-check. */
type Fate =
  | 'works'
  | 'refuses'
  | 'refuses, whatever stands'
  | 'effect, then waits'
  | 'effect, answer lost'
  | 'nothing, answer lost'
  | 'dies before the intent'
  | 'dies before the call'
  | 'dies after the call';

const fates = fc.constantFrom<Fate>(
  'works',
  'works',
  'works',
  'refuses',
  'refuses, whatever stands',
  'effect, then waits',
  'effect, answer lost',
  'nothing, answer lost',
  'dies before the intent',
  'dies before the call',
  'dies after the call',
);

const shapes = fc
  .array(
    fc.record({
      redo: fc.constantFrom('safe' as const, 'query' as const, 'atomic' as const),
      hasCompensation: fc.boolean(),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .chain((list) =>
    fc.integer({ min: -1, max: list.length - 1 }).map((pivot): StepShape[] =>
      list.map(({ redo, hasCompensation }, index) => ({
        name: `s${String(index)}`,
        redo,
        isPivot: index === pivot,
        attemptsMax: 3,
        undoAttemptsMax: 50,
        // Before and at the pivot an effect must be able to be taken back.
        hasCompensation: index <= pivot || pivot === -1 || hasCompensation,
      })),
    ),
  );

interface Simulation {
  readonly plan: readonly StepShape[];
  readonly world: World;
  stored: SagaState;
  /** What a run has come to: that it did is asserted over all runs. */
  readonly reached: Set<string>;
  epoch: number;
  isCancelRequested: boolean;
}

function factsOf(simulation: Simulation): Facts {
  const { epoch, isCancelRequested } = simulation;
  return { epoch, now: new Date(1), isCancelRequested };
}

/** Ledger and journal are one transaction: it either happened or it did not. */
function runAtomic(
  simulation: Simulation,
  { started, step }: { readonly started: SagaState; readonly step: number },
  fate: Fate,
): void {
  const { plan, world } = simulation;
  if (fate === 'dies before the call') {
    simulation.epoch += 1;
  } else if (fate.startsWith('refuses')) {
    simulation.stored = stepRefused(plan, started, { step, at: AT, error: FAILED });
  } else {
    world.effects[step] = true;
    simulation.stored = stepDone(started, step, { at: AT, result: undefined });
    if (fate === 'dies after the call') simulation.epoch += 1;
  }
}

/** Says nothing of the attempts before it. */
function refuseOnOwn(simulation: Simulation, started: SagaState, step: number): void {
  const refusal = { step, at: AT, error: FAILED, isOwn: true };
  simulation.stored = stepRefused(simulation.plan, started, refusal);
}

function waitAfterwards(simulation: Simulation, started: SagaState, step: number): void {
  simulation.stored = stepWaits(started, step, { signal: 'go' });
  simulation.reached.add('waits');
}

/** What the other side makes of a call. */
function isRefusedBy({ world }: Simulation, step: number, fate: Fate): boolean {
  const isShut = world.tombstones[step] === true;
  return isShut || (fate === 'refuses' && world.effects[step] !== true);
}

/** Runs one command; what survives a death is what was stored before it. */
function runForward(simulation: Simulation, step: number, attempt: number, fate: Fate): void {
  const { plan, world, epoch } = simulation;
  const isAtomic = plan[step]?.redo === 'atomic';
  if (fate === 'dies before the intent') return void (simulation.epoch += 1);
  const started = stepStarted(plan, simulation.stored, { step, attempt, epoch, at: AT });
  if (isAtomic) {
    runAtomic(simulation, { started, step }, fate);
    return;
  }
  simulation.stored = started;
  if (fate === 'dies before the call') return void (simulation.epoch += 1);
  if (fate === 'refuses, whatever stands') {
    refuseOnOwn(simulation, started, step);
    return;
  }
  const isRefused = isRefusedBy(simulation, step, fate);
  if (!isRefused && fate !== 'nothing, answer lost') world.effects[step] = true;
  if (fate === 'dies after the call') return void (simulation.epoch += 1);
  if (fate === 'effect, then waits' && !isRefused) {
    waitAfterwards(simulation, started, step);
    return;
  }
  if (fate === 'effect, answer lost' || fate === 'nothing, answer lost') {
    simulation.stored = stepUnsure(started, step, { attempt, error: FAILED, retryAt: AT });
  } else if (isRefused) {
    simulation.stored = stepRefused(plan, started, { step, at: AT, error: FAILED });
  } else {
    simulation.stored = stepDone(started, step, { at: AT, result: undefined });
  }
}

function ask(simulation: Simulation, step: number, attempt: number, fate: Fate): void {
  const { plan, world, stored } = simulation;
  if (fate.startsWith('dies')) return void (simulation.epoch += 1);
  if (fate.endsWith('lost')) {
    simulation.stored = stepUnsure(stored, step, { attempt, error: FAILED, retryAt: AT });
  } else if (world.effects[step] === true) {
    simulation.stored = stepDone(stored, step, { at: AT, result: undefined });
  } else {
    simulation.stored = stepAbsent(plan, stored, step);
  }
}

function undo(simulation: Simulation, step: number, attempt: number, fate: Fate): void {
  const { world, epoch } = simulation;
  if (fate === 'dies before the intent') return void (simulation.epoch += 1);
  const started = undoStarted(simulation.stored, { step, attempt, epoch, at: AT });
  simulation.stored = started;
  if (fate === 'dies before the call') return void (simulation.epoch += 1);
  if (fate === 'nothing, answer lost' || fate.startsWith('refuses')) {
    simulation.stored = undoFailed(started, step, { error: FAILED, retryAt: AT });
    return;
  }
  world.effects[step] = false;
  world.tombstones[step] = true;
  if (fate === 'dies after the call') return void (simulation.epoch += 1);
  simulation.stored =
    fate === 'effect, answer lost'
      ? undoFailed(started, step, { error: FAILED, retryAt: AT })
      : undoDone(started, step, AT);
}

type Ending = Extract<Command, { readonly do: 'finish' | 'park' }>;

function simulate(
  plan: readonly StepShape[],
  script: readonly Fate[],
  cancelAt: number,
): { readonly simulation: Simulation; readonly ending: Ending } {
  const world: World = { effects: [], tombstones: [] };
  const simulation: Simulation = {
    plan,
    world,
    stored: NEW_SAGA,
    reached: new Set(),
    epoch: 1,
    isCancelRequested: false,
  };
  for (let turn = 0; turn < 1_000; turn += 1) {
    if (turn === cancelAt) simulation.isCancelRequested = true;
    const fate = script[turn] ?? 'works';
    const command = nextCommand(plan, simulation.stored, factsOf(simulation));
    switch (command.do) {
      case 'run':
        runForward(simulation, command.step, command.attempt, fate);
        break;
      case 'ask':
        ask(simulation, command.step, command.attempt, fate);
        break;
      case 'undo':
        undo(simulation, command.step, command.attempt, fate);
        break;
      case 'turn-back':
        simulation.stored = turnedBack(plan, simulation.stored, command.why);
        for (const [step, { status, mayHaveEffect }] of simulation.stored.steps.entries()) {
          const mayStand = mayHaveEffect === true ? 'may stand' : 'stands';
          if (world.effects[step] === true) simulation.reached.add(`${status} ${mayStand}`);
        }
        break;
      case 'pause':
        throw new Error('nothing is early in this world');
      case 'finish':
      case 'park':
        return { simulation, ending: command };
    }
  }
  throw new Error('the saga does not end');
}

const runs = { numRuns: 3_000 };

function never(): never {
  throw new Error('the plan has a step');
}

describe('the saga machine, whatever fails and dies', () => {
  it('ends, and the effects are those of its final state, also of what waits or is refused later', () => {
    const reached = new Set<string>();
    fc.assert(
      fc.property(
        shapes,
        fc.array(fates, { maxLength: 60 }),
        fc.integer({ min: -1, max: 30 }),
        (plan, script, cancelAt) => {
          const { simulation, ending } = simulate(plan, script, cancelAt);
          const { effects } = simulation.world;
          for (const one of simulation.reached) reached.add(one);
          if (ending.do === 'park') {
            expect(simulation.stored.pivotPassed || ending.error.code.endsWith('exhausted')).toBe(
              true,
            );
            return;
          }
          if (ending.status === 'succeeded') {
            expect(plan.map((_, step) => effects[step] === true)).toEqual(plan.map(() => true));
            return;
          }
          const left = plan.filter(
            (shape, step) => effects[step] === true && shape.hasCompensation,
          );
          expect(left).toEqual([]);
        },
      ),
      runs,
    );
    // Or nothing of the kind has been tried.
    expect([...reached]).toEqual(
      expect.arrayContaining(['waits', 'waiting stands', 'refused may stand', 'unsure stands']),
    );
  });

  it('never goes back once the pivot is done', () => {
    fc.assert(
      fc.property(shapes, fc.array(fates, { maxLength: 60 }), (plan, script) => {
        const { simulation, ending } = simulate(plan, script, 5);
        const pivot = plan.findIndex(({ isPivot }) => isPivot);
        if (pivot === -1 || simulation.stored.steps[pivot]?.status !== 'done') return;
        expect(ending.do === 'park' || ending.status === 'succeeded').toBe(true);
      }),
      runs,
    );
  });

  const two: StepShape[] = ['a', 'b'].map((name) => ({
    name,
    redo: 'safe',
    isPivot: false,
    attemptsMax: 3,
    undoAttemptsMax: 3,
    hasCompensation: true,
  }));
  const start = { epoch: 1, at: AT, attempt: 1 };
  const ran = (state: SagaState, step: number): SagaState =>
    stepDone(stepStarted(two, state, { ...start, step }), step, { at: AT, result: undefined });

  it.each<Partial<Facts>>([{ isCancelRequested: true }, { deadline: new Date(0) }])(
    'finishes what is done in full, whatever comes after its last step: %o',
    (late) => {
      const all = ran(ran(NEW_SAGA, 0), 1);
      const facts = { epoch: 2, now: new Date(1), isCancelRequested: false, ...late };
      expect(nextCommand(two, all, facts)).toEqual({ do: 'finish', status: 'succeeded' });
      expect(nextCommand(two, ran(NEW_SAGA, 0), facts).do).toBe('turn-back');
    },
  );

  it('takes back a refused step when an attempt before it may have had an effect, and only then', () => {
    const facts = { epoch: 2, now: new Date(1), isCancelRequested: false };
    const refused = (attempts: readonly number[]): SagaState => {
      const started = attempts.reduce(
        (state, attempt) => stepStarted(two, state, { ...start, step: 0, attempt, epoch: attempt }),
        NEW_SAGA,
      );
      return stepRefused(two, started, { step: 0, at: AT, error: FAILED, isOwn: true });
    };
    const why = { status: 'rejected', error: FAILED } as const;
    const once = turnedBack(two, refused([1]), why);
    expect(nextCommand(two, once, facts)).toMatchObject({ do: 'finish', status: 'rejected' });
    const twice = turnedBack(two, refused([1, 2]), why);
    expect(twice.status).toBe('compensating');
    expect(nextCommand(two, twice, facts)).toMatchObject({ do: 'undo', step: 0 });
    const undoing = undoStarted(twice, { ...start, step: 0, epoch: 2 });
    // A precaution: the outcome is the one that it would have been without the death in between.
    const end = nextCommand(two, undoDone(undoing, 0, AT), facts);
    expect(end).toMatchObject({ do: 'finish', status: 'rejected', error: FAILED });
  });

  it('stays at a point of no return that may have been passed and cannot be taken back', () => {
    const last: StepShape[] = [{ ...(two[0] ?? never()), isPivot: true, hasCompensation: false }];
    const facts = { epoch: 2, now: new Date(1), isCancelRequested: false };
    const again = stepStarted(last, stepStarted(last, NEW_SAGA, { ...start, step: 0 }), {
      ...start,
      step: 0,
      attempt: 2,
      epoch: 2,
    });
    const own = stepRefused(last, again, { step: 0, at: AT, error: FAILED, isOwn: true });
    expect(nextCommand(last, own, facts)).toMatchObject({ do: 'park', error: FAILED });
    // The other side's refusal under the same key speaks for all attempts.
    const theirs = stepRefused(last, again, { step: 0, at: AT, error: FAILED });
    expect(nextCommand(last, theirs, facts)).toMatchObject({ do: 'turn-back' });
  });

  it('never posts back a ledger step that was not posted', () => {
    const ledger: StepShape[] = [{ ...(two[0] ?? never()), redo: 'atomic' }];
    const started = stepStarted(ledger, NEW_SAGA, { ...start, step: 0 });
    const absent = stepAbsent(ledger, started, 0);
    const back = turnedBack(ledger, absent, { status: 'canceled', error: FAILED });
    const facts = { epoch: 2, now: new Date(1), isCancelRequested: false };
    expect(nextCommand(ledger, back, facts)).toMatchObject({ do: 'finish', status: 'canceled' });
  });

  it('never repeats by itself what must not be repeated', () => {
    const plan: StepShape[] = [
      {
        name: 'once',
        redo: 'never',
        isPivot: false,
        attemptsMax: 5,
        undoAttemptsMax: 5,
        hasCompensation: true,
      },
    ];
    const { ending } = simulate(plan, ['dies after the call'], -1);
    expect(ending).toMatchObject({ do: 'park', error: { code: 'outcome_unknown' } });
  });
});
