import type { PlantedBug } from '../planted-bug.ts';

const GROUP_TEST = 'tests/unit/core/infra/grouped-reads.test.ts';
const VALUE_TEST = 'tests/unit/core/ledger/wallet-cache-value.test.ts';
const CACHE_TEST = 'tests/integration/reads/wallet-cache.test.ts';
const HTTP_TEST = 'tests/http/ledger/consistency.test.ts';
const WRITTEN_THROUGH_TEST = 'tests/http/ledger/cached-by-default.test.ts';

/** Reads that share round trips, come from caches, or are to hold an operation. */
export const BUGS: readonly PlantedBug[] = [
  {
    name: 'a look-up takes what another tenant has under the same id',
    file: 'core/infra/reads/grouped-reads.ts',
    // eslint-disable-next-line no-template-curly-in-string -- code, as text
    find: 'return `${tenantId}\\n${id}`;',
    replace: 'return tenantId === id ? tenantId : id;',
    foundBy: [GROUP_TEST],
  },
  {
    name: 'a cached wallet is taken though its sum is wrong',
    file: 'core/ledger/wallet-cache-value.ts',
    find: 'if (sum === undefined || sumOf(key, rest) !== sum) return undefined;',
    replace: 'if (sum === undefined) return undefined;',
    foundBy: [VALUE_TEST],
  },
  {
    name: 'a cached wallet is taken however old it is',
    file: 'core/ledger/wallet-cache-value.ts',
    find: '  if (!isPresent(atMs, nowMs)) return undefined;\n',
    replace: '',
    foundBy: [VALUE_TEST],
  },
  {
    name: 'an older state of a wallet replaces a newer one in the cache',
    file: 'core/ledger/wallet-shared-cache.ts',
    find: 'isOlder = seq < newSeq',
    replace: 'isOlder = true',
    foundBy: [CACHE_TEST],
  },
  {
    name: 'what is no wallet stays in the cache, in the way of later states',
    file: 'core/ledger/wallet-cache.ts',
    find: '        if (found === undefined) writer.discard(key.tenantId, key.id);\n',
    replace: '',
    foundBy: [CACHE_TEST],
  },
  {
    name: 'nobody tells the cache what a transaction has changed',
    file: 'core/ledger/ledger-store.ts',
    find: '        onCommitted?.([...changed.values()]);\n',
    replace: '',
    foundBy: [WRITTEN_THROUGH_TEST],
  },
  {
    name: 'a balance comes from a cache though nobody asked for that',
    file: 'api/reads/consistency.ts',
    find: "(after === undefined ? services.readConsistency : 'strong')",
    replace: "(after === undefined ? 'cached' : services.readConsistency)",
    foundBy: [HTTP_TEST],
  },
  {
    name: 'a read after an operation does not wait for it',
    file: 'api/reads/after.ts',
    find: '  if (!isSettled(now.status)) throw stillOpen(now);\n',
    replace: '',
    foundBy: [HTTP_TEST],
  },
  {
    name: 'single documents are read from a secondary',
    file: 'core/infra/reads/keyed-find.ts',
    find: '{ maxTimeMS: LIMITS.listMaxTimeMs };',
    replace: "{ maxTimeMS: LIMITS.listMaxTimeMs, readPreference: 'secondaryPreferred' };",
    foundBy: ['tests/integration/queries/every-query.test.ts'],
  },
];
