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
  {
    name: 'a closed stream keeps its seat',
    file: 'api/realtime/realtime.ts',
    find: "    gone.addEventListener('abort', leaveSeat, { once: true });\n",
    replace: '',
    foundBy: ['tests/http/realtime/crowds.test.ts'],
  },
  {
    name: 'one key takes every seat',
    file: 'api/realtime/seats.ts',
    find: 'max: limits.key,',
    replace: 'max: limits.all,',
    foundBy: ['tests/unit/api/realtime/seats.test.ts', 'tests/http/realtime/crowds.test.ts'],
  },
  {
    name: 'connections without a key stay as long as they like',
    file: 'api/realtime/strangers.ts',
    find: '    oldest.close(true);\n',
    replace: '',
    foundBy: ['tests/http/realtime/crowds.test.ts'],
  },
  {
    name: 'every client that comes back has its history read for itself',
    file: 'api/realtime/history.ts',
    find: '      if (!isOfStream || !hasNext) continue;\n',
    replace: '      if (!isOfStream || !hasNext || kept.size > 0) continue;\n',
    foundBy: ['tests/http/realtime/coming-back.test.ts'],
  },
  {
    name: 'clients that come back take all of the process',
    file: 'api/realtime/pace.ts',
    find: '        await clock.sleep(spentMs, stopping);\n',
    replace: '',
    foundBy: ['tests/unit/api/realtime/pace.test.ts'],
  },
];
