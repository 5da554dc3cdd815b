import type { PlantedBug } from '../planted-bug.ts';

export const BUGS: readonly PlantedBug[] = [
  {
    name: 'two jobs of one delivery in one group of claims both have it',
    file: 'core/notifications/delivery-journal.ts',
    find: 'free.delete(id) && owner',
    replace: 'free.has(id) && owner',
    foundBy: ['tests/integration/notifications/claims.test.ts'],
  },
  {
    name: 'a delivery that is being sent is claimed once more',
    file: 'core/notifications/delivery-store.ts',
    find: `          status: 'pending',
          $expr:`,
    replace: `          status: { $in: ['pending', 'sending'] },
          $expr:`,
    foundBy: ['tests/integration/notifications/claims.test.ts'],
  },
  {
    name: 'an outbox row is removed before its events are routed',
    file: 'workers/events.ts',
    find: `      await router.route(row);
      await stream.append(row);
      await outbox.remove(rowId);`,
    replace: `      await outbox.remove(rowId);
      await router.route(row);
      await stream.append(row);`,
    foundBy: ['tests/integration/notifications/outbox.test.ts'],
  },
  {
    name: 'an outbox row is removed before its events stand in the stream',
    file: 'workers/events.ts',
    find: `      await stream.append(row);
      await outbox.remove(rowId);`,
    replace: `      await outbox.remove(rowId);
      await stream.append(row);`,
    foundBy: ['tests/integration/notifications/outbox.test.ts'],
  },
  {
    name: 'quiet hours count as minutes where the clock is changed meanwhile',
    file: 'core/notifications/preferences.ts',
    find: 'if (minuteOfDay(plainMs, quiet.zone) === minutesOf(quiet.to)) return plainMs - now.getTime();',
    replace: 'if (quiet.zone !== undefined) return plainMs - now.getTime();',
    foundBy: ['tests/unit/core/notifications/texts.test.ts'],
  },
  {
    name: 'a text message expires in quiet hours that are longer than its life',
    file: 'core/notifications/delivery-store.ts',
    find: '...(lifeMs !== undefined && prolonged(delayMs + lifeMs)),',
    replace: '...(lifeMs !== undefined && { isProlonged: true }),',
    foundBy: ['tests/integration/notifications/quiet-hours.test.ts'],
  },
];
