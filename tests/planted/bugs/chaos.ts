import type { PlantedBug } from '../planted-bug.ts';

export const BUGS: readonly PlantedBug[] = [
  {
    name: 'a second death of its worker lets younger operations pass a saga',
    file: 'core/operations/line.ts',
    find: 'return { lineUntil: new Date(now.getTime() + LIMITS.lineHoldMs) };',
    replace: 'return {};',
    foundBy: ['tests/sagas/line-patience.test.ts'],
  },
  {
    name: 'a job that comes again for a dead worker has what is left of the minute',
    file: 'core/saga/journal-store.ts',
    find: "case: { $and: [isMissing('$leaseUntil'), { $not: [isMissing('$lineUntil')] }] },",
    replace: "case: { $not: [isMissing('$lineUntil')] },",
    foundBy: ['tests/sagas/line-patience.test.ts'],
  },
  {
    name: 'a provider that fails holds up a line for ever, a minute after each try',
    file: 'core/saga/journal-store.ts',
    find: "case: { $and: [isMissing('$leaseUntil'), { $not: [isMissing('$lineUntil')] }] },",
    replace: 'case: false,',
    foundBy: ['tests/sagas/line-patience.test.ts'],
  },
  {
    name: 'what was passed for having lost its line gets it back when it is taken over',
    file: 'core/operations/line.ts',
    find: 'if (lineUntil === undefined || lineUntil <= now) return {};',
    replace: 'if (lineUntil === undefined) return {};',
    foundBy: ['tests/sagas/line-patience.test.ts'],
  },
  {
    name: 'an outbox row whose job is done without having seen it stays for an hour',
    file: 'queues/producer.ts',
    find: 'if (unseen.length > 0) await publishEvents(unseen);',
    replace: '',
    foundBy: ['tests/integration/notifications/outbox.test.ts'],
  },
  {
    name: 'a connection that breaks in the moment of a write parks the sagas that wrote',
    file: 'core/infra/database-errors.ts',
    find: "return isOfDriver && BROKEN_CODES.has(error.code) ? 'unavailable' : 'other';",
    replace: "return 'other';",
    foundBy: ['tests/unit/core/infra/database-errors.test.ts'],
  },
];
