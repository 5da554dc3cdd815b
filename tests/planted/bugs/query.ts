import type { PlantedBug } from '../planted-bug.ts';

export const BUGS: readonly PlantedBug[] = [
  {
    name: 'a list has no index of its own, and sorts what it finds',
    file: 'core/infra/collections.ts',
    find: '    { key: { tenantId: 1, name: 1, _id: 1 } },\n',
    replace: '',
    foundBy: ['tests/integration/queries/every-query.test.ts'],
  },
  {
    name: 'metadata are looked for through all tenants',
    file: 'core/operations/metadata-search-store.ts',
    find: '        { $match: queryOf(rarest) },',
    replace: '        { $match: { ...queryOf(rarest), type: { $exists: true } } },',
    foundBy: ['tests/integration/queries/every-query.test.ts'],
  },
  {
    name: 'recovery reads and puts off every stepwise operation that waits healthily',
    file: 'core/recovery/sweep.ts',
    find: 'return new Date(Math.min(now.getTime(), at.getTime() + LIMITS.recheckMs));',
    replace: 'return now;',
    foundBy: ['tests/integration/recovery/backlog-cost.test.ts'],
  },
  {
    name: 'recovery reads and puts off every delivery that waits healthily',
    file: 'core/recovery/sweep-deliveries.ts',
    find: 'return new Date(Math.min(now.getTime(), at.getTime() + LIMITS.deliveryRecheckMs));',
    replace: 'return now;',
    foundBy: ['tests/integration/recovery/backlog-cost.test.ts'],
  },
  {
    name: 'an operation that never got a job is found when the queue has come to its place',
    file: 'core/recovery/sweep.ts',
    find: ', () => sweepNews(deps)];',
    replace: '];',
    foundBy: ['tests/integration/recovery/backlog-cost.test.ts'],
  },
  {
    name: 'operations are listed by the user whom they are about, and not by payer and payee',
    file: 'core/operations/operation-reads-store.ts',
    find: '$or: USER_FIELDS.map((field) =>',
    replace: '$or: USER_FIELDS.slice(0, 1).map((field) =>',
    foundBy: ['tests/http/operations/reads.test.ts'],
  },
  {
    name: 'a row of large messages is read as a whole',
    file: 'core/notifications/routing/routing.ts',
    find: 'isRequest && requests >= LIMITS.routedRequestsMax',
    replace: 'isRequest && requests >= LIMITS.outboxEventsMax',
    foundBy: ['tests/integration/notifications/large-rows.test.ts'],
  },
];
