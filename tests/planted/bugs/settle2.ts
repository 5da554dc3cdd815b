import type { PlantedBug } from '../planted-bug.ts';

export const BUGS: readonly PlantedBug[] = [
  {
    name: 'an expired hold keeps its funds until recovery comes by',
    file: 'core/operations/want-of-money.ts',
    find: 'if (lapsed.length === 0)',
    replace: 'if (lapsed.length >= 0)',
    foundBy: [
      'tests/unit/core/settlement/lapsed-holds.test.ts',
      'tests/integration/settlement/lapsed-holds.test.ts',
      'tests/sagas/payments.test.ts',
    ],
  },
  {
    name: 'an expired hold that a saga has given back counts as not taken back',
    file: 'core/ledger/verify/verify.ts',
    find: 'if (givesBackAnothers(entry)) continue;',
    replace: '',
    foundBy: ['tests/sagas/payments.test.ts'],
  },
  {
    name: 'the expired holds of a wallet are looked for among all expired ones',
    file: 'core/infra/ledger-collections.ts',
    find: 'key: { tenantId: 1, userId: 1, currency: 1, expiresAt: 1 },',
    replace: 'key: { status: 1, captured: 1 },',
    foundBy: ['tests/integration/settlement/lapsed-holds.test.ts'],
  },
  {
    name: 'the flood of one tenant is refused to all, and not before all is full',
    file: 'core/ingest/shares.ts',
    find: 'return all >= max || own >= ownMax;',
    replace: 'return all >= max;',
    foundBy: ['tests/unit/core/ingest/backlog.test.ts'],
  },
  {
    name: 'stepwise work does not count as backlog',
    file: 'core/operations/operation-store.ts',
    find: "{ status: 'accepted', ...(tenantId !== undefined && { tenantId }) },",
    replace:
      "{ status: 'accepted', lane: { $gte: 0 }, ...(tenantId !== undefined && { tenantId }) },",
    foundBy: ['tests/integration/ingest/backlog.test.ts'],
  },
  {
    name: 'the bodies under way in a process have no limit together',
    file: 'api/http/body-bytes.ts',
    find: 'if (taken + bytes > max)',
    replace: 'if (bytes > max)',
    foundBy: ['tests/http/operations/overload.test.ts'],
  },
  {
    name: 'room for bodies is not given back',
    file: 'api/http/endpoint.ts',
    find: 'bodyBytes.giveBack(own);',
    replace: 'bodyBytes.giveBack(0);',
    foundBy: ['tests/http/operations/overload.test.ts'],
  },
];
