import { describe, expect, it } from 'vitest';
import { type Explained, explained } from '../../support/explain.ts';
import { type Instance, openWorld } from '../../support/platform.ts';
import { type Call, type Exempt, faultOf, siteOf } from '../../support/queries/every-query.ts';
import {
  ledgerCalls,
  moveMoney,
  proofCall,
  rebuildCall,
  verifyCall,
} from '../../support/queries/ledger.ts';
import { notificationCalls } from '../../support/queries/notifications.ts';
import { operationCalls } from '../../support/queries/operations.ts';
import { pileUp } from '../../support/queries/piles.ts';
import { querySites, withSites } from '../../support/queries/sites.ts';
import { tenantCalls } from '../../support/queries/tenants.ts';

/** Few, each with its reason. */
const EXEMPT: readonly Exempt[] = [
  {
    because: 'a proof of the ledger adds up all wallets',
    isIt: ({ command }) => command['aggregate'] === 'wallets',
  },
  {
    because: 'counts go through what they count, in an index alone and up to a number',
    isIt: ({ command, docsExamined, stages }) =>
      docsExamined === 0 &&
      !stages.includes('SORT') &&
      /\$limit.*\$sum/.test(JSON.stringify(command)),
  },
  {
    because: 'totals by what is waited for are of the first so many of an index',
    isIt: ({ command, stages }) =>
      command['aggregate'] !== undefined &&
      !stages.includes('COLLSCAN') &&
      /\$limit.*\$group.*\$switch/.test(JSON.stringify(command)),
  },
  {
    because: 'nearly all deliveries are sent: the newest of them are among the newest of all',
    isIt: ({ command, stages }) =>
      command['find'] === 'deliveries' &&
      !stages.includes('SORT') &&
      JSON.stringify(command['filter']).includes('"status":"sent"'),
  },
  {
    because: 'nearly all operations succeed: the same',
    isIt: ({ command, stages }) =>
      command['filter']?.status === 'succeeded' && !stages.includes('SORT'),
  },
];

/** Stores with lists, which may come from a secondary, and the gauges. */
const MAY_LAG = [
  'core/ledger/ledger-reads-store.ts',
  'core/notifications/delivery/delivery-counts-store.ts',
  'core/operations/metadata-search-store.ts',
  'core/operations/operation-reads-store.ts',
  'core/operations/status-counts-store.ts',
  'core/operations/waiting-counts-store.ts',
];

/** Each is explained at once, while what it was asked about is still there. */
async function eachExplained(node: Instance, calls: readonly Call[]): Promise<Explained[]> {
  const found: Explained[] = [];
  for (const call of calls) found.push(...(await explained(node, call)));
  return found;
}

describe('every query of the code', () => {
  it('has an index: no scan, no sort in memory, no look at far more than it returns', async () => {
    const { node } = await openWorld({ monitor: true });
    const { db } = node.platform.mongo;
    const queries = await withSites(async () => {
      const small = await eachExplained(node, [
        () => moveMoney(node),
        () => verifyCall(node),
        () => rebuildCall(node),
        () => proofCall(node),
      ]);
      await pileUp(db);
      const calls = [operationCalls, ledgerCalls, notificationCalls, tenantCalls];
      const large = await eachExplained(
        node,
        calls.flatMap((of) => of(db)),
      );
      return [...small, ...large];
    });
    const seen = new Set(queries.map(siteOf));
    expect(querySites().filter((site) => !seen.has(site))).toEqual([]);
    // What decides reads from the primary; only these, which show, may not.
    const elsewhere = queries
      .filter(({ readFrom }) => readFrom !== 'primary')
      .map((query) => siteOf(query).split(':')[0]);
    expect(new Set(elsewhere)).toEqual(new Set(MAY_LAG));
    const needless = EXEMPT.filter(({ isIt }) => !queries.some(isIt));
    expect(needless.map(({ because }) => because)).toEqual([]);
    const judged = queries.filter((query) => !EXEMPT.some(({ isIt }) => isIt(query)));
    expect([...new Set(judged.flatMap((query) => faultOf(query) ?? []))]).toEqual([]);
  }, 300_000);
});
