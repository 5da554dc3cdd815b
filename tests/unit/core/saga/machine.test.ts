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
  } else if (fate === 'refuses') {
    simulation.stored = stepRefused(plan, started, { step, at: AT, error: FAILED });
  } else {
    world.effects[step] = true;
    simulation.stored = stepDone(started, step, { at: AT, result: undefined });
    if (fate === 'dies after the call') simulation.epoch += 1;
  }
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
  const isShut = world.tombstones[step] === true;
  const isRefused = isShut || (fate === 'refuses' && world.effects[step] !== true);
  if (!isRefused && fate !== 'nothing, answer lost') world.effects[step] = true;
  if (fate === 'dies after the call') return void (simulation.epoch += 1);
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
  if (fate === 'nothing, answer lost' || fate === 'refuses') {
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

describe('the saga machine, whatever fails and dies', () => {
  it('ends, and the effects are those of its final state', () => {
    fc.assert(
      fc.property(
        shapes,
        fc.array(fates, { maxLength: 60 }),
        fc.integer({ min: -1, max: 30 }),
        (plan, script, cancelAt) => {
          const { simulation, ending } = simulate(plan, script, cancelAt);
          const { effects } = simulation.world;
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
