import { describe, expect, it } from 'vitest';
import { type Result, ok, refuse } from '../../../../core/kernel/result.ts';
import type { Json } from '../../../../core/kernel/canonical.ts';
import { type DecidePosting, decideFuse } from '../../../../core/saga/fuse.ts';
import type { Fuse, FusePart, JournalChange } from '../../../../core/saga/journal.ts';
import { NEW_SAGA, type SagaState } from '../../../../core/saga/machine.ts';
import { NO_TOUCHES } from '../../../../core/operations/touches.ts';

/** Moments that are one write: what becomes of those before one that fails. */
const at = new Date(0);

const named = (state: SagaState, name: string): SagaState => ({
  ...state,
  steps: [
    ...state.steps,
    { name, status: 'done', attempt: 1, epoch: 1, startedAt: at, finishedAt: at },
  ],
});

type Decision = Result<Json | undefined>;

const part = (name: string, decide: () => Decision): FusePart => ({
  kind: 'post',
  ledger: { touches: NO_TOUCHES, legOffset: 0, at, decide },
  after: (state, { ok: isOk }) => named(state, isOk ? name : `${name} refused`),
});
const fine = (name: string) => part(name, () => ok(undefined));
const refused = part('x', () => refuse('wallet_not_found', 'none'));
const broken = part('x', () => {
  throw new Error('a bug');
});

/** A ledger that remembers what was taken in, of one entry and one event each. */
function ledger() {
  const taken: string[] = [];
  let drafts = 0;
  const decide: DecidePosting = (work, state) => {
    const decision = work.decide(undefined as never, state); // none of these looks at it
    drafts += 1;
    const name = `e${String(drafts)}`;
    const draft = { entries: [{}], events: [{ name, data: {} }] } as never;
    return { decision, draft, take: () => void taken.push(name) };
  };
  return { decide, taken };
}

const fuseOf = (parts: readonly FusePart[], extra: Partial<Fuse> = {}): Fuse => ({
  state: NEW_SAGA,
  parts,
  changeOf: ({ state, events, isWhole }): JournalChange => ({
    ...{ state, events, at, lease: isWhole ? 'end' : 'keep' },
    status: isWhole ? 'succeeded' : 'running',
  }),
  ...extra,
});

function decided(parts: readonly FusePart[], extra: Partial<Fuse> = {}) {
  const { decide, taken } = ledger();
  const { change, hasPosted } = decideFuse(fuseOf(parts, extra), decide);
  const { state, events, lease } = change;
  const steps = state.steps.map(({ name }) => name);
  return { steps, events: events.map(({ name }) => name), lease, taken, hasPosted };
}

describe('moments that are one write', () => {
  it('are taken one after another, with what they tell in order, and then comes the end', () => {
    const all = { steps: ['a', 'b', 'c'], events: ['e1', 'e2', 'e3'], taken: ['e1', 'e2', 'e3'] };
    expect(decided([fine('a'), fine('b'), fine('c')])).toEqual({
      ...all,
      ...{ lease: 'end', hasPosted: true },
    });
  });

  it('end with a refusal, and what was accepted before it is written', () => {
    expect(decided([fine('a'), refused, fine('c')])).toEqual({
      ...{ steps: ['a', 'x refused'], events: ['e1'], taken: ['e1'] },
      ...{ lease: 'keep', hasPosted: true },
    });
  });

  it('end with a throw, and what was accepted before it is written', () => {
    expect(decided([fine('a'), broken, fine('c')])).toEqual({
      ...{ steps: ['a'], events: ['e1'], taken: ['e1'] },
      ...{ lease: 'keep', hasPosted: true },
    });
    expect(() => decided([broken, fine('b')])).toThrow('a bug'); // nothing is before it
  });

  it('are written though the result of all cannot be made up out of them', () => {
    const { changeOf } = fuseOf([]);
    const failing: Fuse['changeOf'] = (reached) => {
      if (reached.isWhole) throw new Error('no result');
      return changeOf(reached);
    };
    expect(decided([fine('a')], { changeOf: failing })).toMatchObject({
      ...{ steps: ['a'], lease: 'keep' },
    });
  });
});
