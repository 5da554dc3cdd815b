import type { PlantedBug } from '../planted-bug.ts';

export const BUGS: readonly PlantedBug[] = [
  {
    name: 'a later event of an operation overtakes an earlier one',
    file: 'workers/events.ts',
    find: 'if (await outbox.isEarly(row)) return LIMITS.outboxOrderLookMs;',
    replace: '',
    foundBy: ['tests/integration/notifications/outbox.test.ts'],
  },
  {
    name: 'the events of one operation are cut into two rows',
    file: 'core/saga/outbox-rows.ts',
    find: 'if (part.length >= LIMITS.outboxEventsMax && !isOfLast) part = [];',
    replace: 'if (part.length >= LIMITS.outboxEventsMax) part = [];',
    foundBy: ['tests/unit/core/saga/outbox-rows.test.ts'],
  },
  {
    name: 'a copied cookie outlives the sign-out',
    file: 'api/admin/session.ts',
    find: 'session === undefined || (await signOuts.has(session.nonce))',
    replace: 'session === undefined',
    foundBy: ['tests/http/admin/admin.test.ts'],
  },
  {
    name: 'guesses from many addresses keep everybody waiting',
    file: 'api/admin/throttle.ts',
    find: 'const { mayTryMs = 0 } = find(guesser) ?? {};',
    replace: 'const { mayTryMs = 0 } = find(guesser) ?? [...guessers.values()].at(-1) ?? {};',
    foundBy: ['tests/unit/api/admin.test.ts'],
  },
];
