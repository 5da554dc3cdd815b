import type { PlantedBug } from '../planted-bug.ts';

const MACHINE = 'tests/unit/core/saga/machine.test.ts';
const SIGNALS = 'tests/http/operations/signals.test.ts';
const FENCES = 'tests/sagas/journal-fences.test.ts';
const TIMELINE = 'tests/unit/api/views/timeline.test.ts';
const RULES = 'tests/integration/recovery/rules.test.ts';

export const BUGS: readonly PlantedBug[] = [
  {
    name: 'a decision is read before the policy',
    file: 'core/operation-types/withdrawal.ts',
    find: "if (assessed === 'decline') {",
    replace: "if (assessed === 'decline' && decisionOf(ctx) === undefined) {",
    foundBy: [SIGNALS],
  },
  {
    name: 'a signal counts before it was asked for',
    file: 'core/operations/intervention.ts',
    find: 'if (!isAsked(operation, name)) {',
    replace: "if (!isAsked(operation, name) && operation.status !== 'waiting') {",
    foundBy: [SIGNALS],
  },
  {
    name: 'who asks for a withdrawal may approve it',
    file: 'api/routes/operations/signal-operation.ts',
    find: "scope: 'operations:approve',",
    replace: "scope: 'operations:write',",
    foundBy: [SIGNALS],
  },
  {
    name: 'the data of a signal is taken as it comes',
    file: 'core/operations/read-signal.ts',
    find: 'if (parsed.success) return parsed.data as Json; // schemas of signals give plain JSON',
    replace: 'if (parsed.success || parsed.error.issues.length > 0) return data;',
    foundBy: [SIGNALS],
  },
  {
    name: 'what is done in full is canceled or late',
    file: 'core/saga/machine.ts',
    find: "if (shape === undefined) return { do: 'finish', status: 'succeeded' };",
    replace:
      'if (shape === undefined && outsideReason(state, facts) === undefined)\n' +
      "    return { do: 'finish', status: 'succeeded' };",
    foundBy: [MACHINE],
  },
  {
    name: 'a last step that nothing takes back is no point of no return',
    file: 'core/saga/saga-run.ts',
    find: 'isStated ? step.isPivot === true : isLast',
    replace: 'step.isPivot === true && isStated !== isLast',
    foundBy: ['tests/sagas/late-cancels.test.ts'],
  },
  {
    name: 'a refusal speaks for attempts that nobody has heard of',
    file: 'core/saga/step-ends.ts',
    find: "const mayStand = record.status === 'refused' && record.mayHaveEffect === true;",
    replace: "const mayStand = record.status === 'undoing' && record.mayHaveEffect === true;",
    foundBy: [MACHINE, 'tests/sagas/unknown-attempts.test.ts'],
  },
  {
    name: 'a worker that lacks what a step needs uses up its attempts',
    file: 'core/saga/worker-unfit.ts',
    find: "error.code !== 'worker_unfit'",
    replace: "error.code !== 'version_unknown'",
    foundBy: ['tests/sagas/unknown-attempts.test.ts'],
  },
  {
    name: 'a waiting step is not compensated',
    file: 'core/saga/step-ends.ts',
    find: "  'waiting',\n  'undoing',\n",
    replace: "  'undoing',\n",
    foundBy: [MACHINE, 'tests/unit/core/saga/engine-model.test.ts'],
  },
  {
    name: 'journal writes do not ask for the epoch',
    file: 'core/saga/journal-store.ts',
    find: '    _id: ref.operation._id,\n    epoch: ref.epoch,\n',
    replace: '    _id: ref.operation._id,\n',
    foundBy: [FENCES],
  },
  {
    name: 'one saga given back fails the claims of its group',
    file: 'core/saga/journal-store.ts',
    find: 'const freeAt = leaseUntil ?? runAt ?? claimNow;',
    replace:
      "const freeAt = leaseUntil ?? runAt;\n      if (freeAt === undefined) throw new Error('no time');",
    foundBy: [FENCES],
  },
  {
    name: 'one journal write that cannot be made fails its group',
    file: 'core/saga/journal-group.ts',
    find: "if (faultOf(failure) !== 'other' || commits.length === 1) {",
    replace: 'if (commits.length > 0) {',
    foundBy: [FENCES],
  },
  {
    name: 'the result of a call is lost when it is asked for',
    file: 'core/saga/step-runner.ts',
    find: 'run.state = stepDone(run.state, step, { at, result: reply.result });\n      break;',
    replace: 'run.state = stepDone(run.state, step, { at, result: undefined });\n      break;',
    foundBy: ['tests/conformance/stepwise.test.ts', 'tests/sagas/crash-points.test.ts'],
  },
  {
    name: 'the expiry of a hold rests on one key',
    file: 'core/recovery/expire-holds.ts',
    find: "return isSettled(status) && status !== 'succeeded';",
    replace: "return isSettled(status) && status === 'succeeded';",
    foundBy: [RULES],
  },
  {
    name: 'the platform’s own work can be canceled',
    file: 'core/operations/operation.ts',
    find: 'return idempotencyKey.startsWith(PLATFORM_KEY);',
    replace: 'return idempotencyKey === PLATFORM_KEY;',
    foundBy: [RULES],
  },
  {
    name: 'the second parking of an operation has the id of the first',
    file: 'core/operations/settle-store.ts',
    find: '.p$' + '{epoch}`',
    replace: '.p`',
    foundBy: ['tests/integration/settlement/poison.test.ts', RULES],
  },
  {
    name: 'an outcome after a parking has the id of the parking',
    file: 'core/settlement/decide.ts',
    find: 'return epoch === 0 ?',
    replace: 'return epoch >= 0 ?',
    foundBy: ['tests/integration/settlement/poison.test.ts'],
  },
  {
    name: 'a question overwrites the attempt that it is about',
    file: 'core/saga/machine.ts',
    find: '    ...logged(old),\n    startedAt: at,',
    replace: '    startedAt: at,',
    foundBy: [TIMELINE],
  },
  {
    name: 'a retry by hand overwrites what went before it',
    file: 'core/operations/intervention.ts',
    find: '...logged(old), ...undosLogged(old), attempt: 0',
    replace: 'attempt: 0',
    foundBy: [TIMELINE],
  },
  {
    name: 'a request that has waited gets the state from before',
    file: 'api/writes/submit.ts',
    find: 'waited[index] ?? now.get(operation._id) ?? operation',
    replace: 'waited[index] ?? (now.size < 0 ? now.get(operation._id) : undefined) ?? operation',
    foundBy: [SIGNALS],
  },
  {
    name: 'what needs attention is said to be retryable',
    file: 'api/views/operation.ts',
    find: '...problemOf(error, context), retryable: false',
    replace: '...problemOf(error, context)',
    foundBy: [SIGNALS],
  },
  {
    name: 'a lease counts from the answer to its renewal, however late that comes',
    file: 'core/saga/heartbeat.ts',
    find: 'holding.safeUntilMs = sentMs + leaseMs - fenceMs;',
    replace: 'holding.safeUntilMs = clock.monotonicMs() + leaseMs - fenceMs;',
    foundBy: ['tests/unit/core/saga/heartbeat.test.ts'],
  },
];
