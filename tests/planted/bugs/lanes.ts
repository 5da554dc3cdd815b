import type { PlantedBug } from '../planted-bug.ts';

export const BUGS: readonly PlantedBug[] = [
  {
    name: 'an operation passes an older one that stands in a lane of another setting',
    file: 'core/operations/layouts.ts',
    find: 'lane !== one.lane && isBehind(one, found.get(one.orderingKey)),',
    replace: 'lane !== one.lane && isBehind(one, undefined),',
    foundBy: ['tests/integration/settlement/lane-layouts.test.ts'],
  },
  {
    name: 'a line that stands in the lanes of two settings is settled one by one',
    file: 'core/operations/layouts.ts',
    find: 'lane !== one.lane && isBehind(',
    replace: 'isBehind(',
    foundBy: ['tests/integration/settlement/lane-layouts.test.ts'],
  },
  {
    name: 'lanes above the setting are nobody’s although something stands in them',
    file: 'workers/lanes.ts',
    find: 'return Math.max(open, ...alive.map(',
    replace: 'return Math.max(0 * open, ...alive.map(',
    foundBy: ['tests/integration/settlement/lane-layouts.test.ts'],
  },
  {
    name: 'a payee is unknown while the lane of another setting still creates him',
    file: 'core/operations/settle-store.ts',
    find: 'byLane(inLanesOf(keys, await layouts.open([], session)))',
    replace: 'byLane(inLanesOf(keys, (await layouts.open([], session)).slice(1)))',
    foundBy: ['tests/integration/settlement/lane-layouts.test.ts'],
  },
  {
    name: 'recovery does not look at the lanes of another setting',
    file: 'core/operations/recovery-store.ts',
    find: "{ status: 'accepted', lane: { $gt: lanes.at(-1) ?? -1 } },",
    replace: "{ status: 'accepted', lane: { $gt: lanes.at(-1) ?? -1, $lt: 64 } },",
    foundBy: ['tests/integration/recovery/sweep.test.ts'],
  },
  {
    name: 'a payment provider that asks for patience is called by the other processes',
    file: 'runtime/payments.ts',
    find: 'report, holdOf(outcome));',
    replace: 'report, { ...holdOf(outcome), ms: 0 });',
    foundBy: ['tests/unit/runtime/payments.test.ts'],
  },
  {
    name: 'npm start settles in the processes that send mails',
    file: 'scripts/dev/up/workers.ts',
    find: "['worker', ['settlement', 'recovery']],",
    replace: "['worker', ['settlement', 'recovery', 'notification']],",
    foundBy: ['tests/faults/pools-apart.test.ts'],
  },
  {
    name: 'a worker that dies of the same thing again and again takes the stack with it',
    file: 'scripts/dev/up/workers.ts',
    find: "...(!own.includes('settlement') && { restart: FOR_EVER }),",
    replace: '...(own.length === 0 && { restart: FOR_EVER }),',
    foundBy: ['tests/faults/pools-apart.test.ts'],
  },
  {
    name: 'the bodies of one server keep out those of another',
    file: 'api/app.ts',
    find: '  const bodyBytes = createBodyBytes(LIMITS.bodiesBytesMax);',
    replace: `  const shared: { bytes?: ReturnType<typeof createBodyBytes> } = malformed;
  const bodyBytes = (shared.bytes ??= createBodyBytes(LIMITS.bodiesBytesMax));`,
    foundBy: ['tests/http/operations/overload.test.ts'],
  },
];
