import type { PlantedBug } from '../planted-bug.ts';

const MODEL = 'tests/unit/core/saga/engine-model.test.ts';
const FUSE = 'tests/unit/core/saga/fuse.test.ts';
const WINDOWS = 'tests/sagas/fuse-windows.test.ts';
const TRANSACTIONS = 'tests/sagas/journal-transactions.test.ts';

/** Moments of sagas that are one write, and writes that are one transaction. */
export const BUGS: readonly PlantedBug[] = [
  {
    name: 'a step is asked before the result that it wants is stored',
    file: 'core/saga/reads-ahead.ts',
    find: 'throw new ReadsAhead(name);',
    replace: 'return undefined;',
    foundBy: [MODEL],
  },
  {
    name: 'a refusal takes back what was accepted before it in the same write',
    file: 'core/saga/fuse.ts',
    find: 'return { change: fuse.changeOf({ state, events, isWhole: false }), hasPosted };',
    replace: 'return { change: fuse.changeOf({ ...fuse, events, isWhole: false }), hasPosted };',
    foundBy: [FUSE],
  },
  {
    name: 'a throw behind something accepted takes that with it',
    file: 'core/saga/fuse.ts',
    find: 'if (isFirst) throw error;',
    replace: 'if (isFirst || part.kind === "post") throw error;',
    foundBy: [FUSE],
  },
  {
    name: 'a result that cannot be made up keeps the steps from being stored',
    file: 'core/saga/fuse.ts',
    find: 'if (fuse.parts.length === 0) throw error;',
    replace: 'if (fuse.parts.length >= 0) throw error;',
    foundBy: [FUSE],
  },
  {
    name: 'a call follows a refusal that its intent was to stand behind',
    file: 'core/saga/saga-drive.ts',
    find: 'return isIntended(run, tail) ? makeCall(deps, run, tail) : MOVED;',
    replace: 'return isIntended(run, tail) || true ? makeCall(deps, run, tail) : MOVED;',
    foundBy: [WINDOWS],
  },
  {
    name: 'a cancel that was taken is overlooked by a write of several moments',
    file: 'core/saga/fuse-plan.ts',
    find: 'const isCancelable = state.turnBack === undefined && !run.stored.pivotPassed;',
    replace: 'const isCancelable = state.turnBack === undefined && run.epoch < 0;',
    foundBy: [MODEL, 'tests/sagas/late-cancels.test.ts'],
  },
  {
    name: 'a word that comes while somebody looks whether it is late is lost',
    file: 'core/saga/fuse-plan.ts',
    find: 'planning.signal ??= looked.signal;',
    replace: 'planning.signal ??= undefined;',
    foundBy: [WINDOWS],
  },
  {
    name: 'the outcome of a call that must not be repeated waits for the ledger',
    file: 'core/saga/saga-run.ts',
    find: "step?.kind === 'call' && step.redo === 'never'",
    replace: "step?.kind === 'call' && step.redo === 'query' && wasAborted",
    foundBy: [WINDOWS],
  },
  {
    name: 'what has moved since it was read is written over',
    file: 'core/saga/journal-transact.ts',
    find: 'return standing === undefined;',
    replace: 'return true;',
    foundBy: [TRANSACTIONS, 'tests/sagas/journal-fences.test.ts'],
  },
  {
    name: 'what is known from outside is held up by others in the ledger',
    file: 'core/saga/journal-group.ts',
    find: "settled.set(commit, { kind: 'aborted' });",
    replace: 'settled.delete(commit);',
    foundBy: [TRANSACTIONS],
  },
  {
    name: 'a write whose answer was lost is taken for what was decided last',
    file: 'core/saga/journal-transact.ts',
    find: '    ...{ state, status },',
    replace: '    ...{ status, stored: state },',
    foundBy: [TRANSACTIONS],
  },
  {
    name: 'who finds nothing to do keeps the next one out for ever',
    file: 'core/saga/room.ts',
    find: 'taken -= mine;',
    replace: 'if (mine === 0) return;\n        taken -= mine;',
    foundBy: ['tests/unit/core/saga/room.test.ts'],
  },
];
