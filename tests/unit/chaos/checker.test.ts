import { describe, expect, it } from 'vitest';
import { RULES, judge } from '../../chaos/checker/check.ts';
import { type Minimum, NOTHING_YET, findShortfalls } from '../../chaos/checker/enough.ts';
import type {
  EntryRow,
  Evidence,
  HistoryEvent,
  OperationRow,
} from '../../chaos/checker/evidence.ts';
import { ORDER_RULES } from '../../chaos/checker/order-rules.ts';
import { runRules } from '../../chaos/checker/rule.ts';
import { idOf, soundEvidence } from './sound-evidence.ts';

type Break = (sound: Evidence) => Partial<Evidence>;

const without = (sound: Evidence, index: number): Partial<Evidence> => ({
  operations: sound.operations.filter(({ id }) => id !== idOf(index)),
});
const withOperation = (
  sound: Evidence,
  index: number,
  change: Partial<OperationRow>,
): Partial<Evidence> => ({
  operations: sound.operations.map((one) => (one.id === idOf(index) ? { ...one, ...change } : one)),
});
const withEntry = (sound: Evidence, at: number, change: Partial<EntryRow>): Partial<Evidence> => ({
  entries: sound.entries.map((one, index) => (index === at ? { ...one, ...change } : one)),
});
const withEvents = (sound: Evidence, ...events: HistoryEvent[]): Partial<Evidence> => ({
  history: [...sound.history, ...events],
});
const sent = (index: number) => ({
  request: 90,
  key: `a0-${String(index)}`,
  api: 'api-2',
  atMs: 9_000,
});
const read = (index: number, status: string, http = 200): HistoryEvent => ({
  ...{ kind: 'read', fromMs: 9_000, atMs: 9_010, api: 'api-1' },
  ...{ id: idOf(index), status, http },
});
/** The deposit is accepted at 4 s and the transfer sent at 5 s: their entries change places. */
const swapped = ({ entries }: Evidence): Partial<Evidence> => ({
  entries: entries.map((entry) => {
    if (entry.walletId !== 'wal_ada') return entry;
    const createdAt = new Date('2026-01-01T00:00:09Z');
    if (entry.seq === 4) return { ...entry, seq: 5, balanceAfter: 1_000n, createdAt };
    return entry.seq === 5 ? { ...entry, seq: 4, balanceAfter: 700n, createdAt } : entry;
  }),
});

/** One broken history for each rule, which that rule must find. */
const BROKEN: Readonly<Record<string, Break>> = {
  'accepted operations exist': (sound) => without(sound, 3),
  'accepted operations end': (sound) => withOperation(sound, 4, { status: 'running' }),
  'operations end in time': () => ({ settledAtMs: new Map([[idOf(5), 51_001 + 1]]) }),
  'one id per key': (sound) =>
    withEvents(sound, {
      ...{ kind: 'answered', ...sent(1), id: idOf(2), http: 202 },
      ...{ status: 'accepted', isReplay: true },
    }),
  'one operation per key': (sound) => withOperation(sound, 2, { key: 'a0-1' }),
  'operations are what was asked for': (sound) =>
    withOperation(sound, 2, { input: { userId: 'ada', currency: 'EUR', amount: '101' } }),
  'refused requests leave nothing': (sound) => ({
    history: sound.history.map((event) =>
      event.kind === 'answered' && event.key === 'a0-2'
        ? { kind: 'refused', ...sent(2), http: 400, code: 'invalid_request' }
        : event,
    ),
  }),
  'what is bad is refused': (sound) => {
    const asked = { type: 'transfer', input: {}, purpose: { isBad: true } } as const;
    return withEvents(
      sound,
      { kind: 'invoked', ...sent(2), ...asked },
      {
        ...{ kind: 'answered', ...sent(2), id: idOf(2), http: 200 },
        ...{ status: 'succeeded', isReplay: true },
      },
    );
  },
  'every key has its answer in the end': (sound) =>
    withEvents(sound, { kind: 'unknown', ...sent(7), reason: '503' }),
  'what has ended stays as it ended': (sound) => withEvents(sound, read(2, 'running')),
  'accepted operations are found': (sound) => withEvents(sound, read(2, '', 404)),
  'nothing needs a human': (sound) => withOperation(sound, 4, { status: 'needs_attention' }),
  "an operation's entries sum to zero": (sound) => withEntry(sound, 0, { amount: 1_001n }),
  'money is conserved while things break': () => ({
    samples: [{ atMs: 1, wallets: new Map([['EUR real', -5n]]), overspent: [] }],
  }),
  "a wallet's entries form a chain": (sound) => withEntry(sound, 2, { seq: 7 }),
  'a balance is the fold of its entries': ({ wallets }) => ({
    wallets: wallets.map((one) => (one.userId === 'bob' ? { ...one, balance: 201n } : one)),
  }),
  'nobody spends what is not there': ({ wallets }) => ({
    wallets: wallets.map((one) => (one.userId === 'bob' ? { ...one, balance: -1n } : one)),
  }),
  'what is locked is what open holds hold': () => ({ holds: [] }),
  'no transfer is reversed beyond its amount': ({ transfers }) => ({
    transfers: transfers.map((one) => ({ ...one, reversedAmount: 201n })),
  }),
  'the log is only appended to': () => ({ rewritten: [{ id: 'x.1', change: 'is gone' }] }),
  'every entry has its operation': (sound) => without(sound, 5),
  "time goes on along a wallet's entries": (sound) =>
    withEntry(sound, 2, { createdAt: new Date('2025-12-31T23:59:59Z') }),
  'nothing ends before it begins': (sound) =>
    withOperation(sound, 2, { completedAt: new Date('2025-12-31T23:59:59Z') }),
  "an operation's effect is that of its final state": (sound) =>
    withOperation(sound, 2, { status: 'rejected' }),
  "an operation's payments are those of its final state": ({ payments }) => ({
    payments: [...payments, ...payments.map((one) => ({ ...one, key: `${one.key}-again` }))],
  }),
  'operations of a line settle in the order of acceptance': swapped,
  'nothing is refused for want of what was accepted before it': (sound) =>
    withOperation(sound, 2, { status: 'rejected', errorCode: 'insufficient_funds' }),
  'a healthy receiver gets every event': ({ receipts }) => ({ receipts: receipts.slice(1) }),
  'repeats of a webhook bear one id': ({ receipts }) => ({
    receipts: [...receipts, ...receipts.map((one) => ({ ...one, id: `${one.id}-2` }))],
  }),
  'every webhook is signed': ({ receipts }) => ({
    receipts: receipts.map((one, index) =>
      index === 0 ? { ...one, verdict: 'bad signature' } : one,
    ),
  }),
  'no event tells of what did not happen': ({ receipts }) => ({
    receipts: receipts.map((one, index) =>
      index === 0 ? { ...one, event: 'operation.rejected' } : one,
    ),
  }),
  'a balance that is served is the one that is stored': () => ({
    balances: [{ walletId: 'wal_ada', api: 'api-1', served: '999', stored: '1000' }],
  }),
  'queues are drained': () => ({
    queues: [{ queue: 'saga', active: 1, waiting: 0, delayed: 0, failed: 0, failedOperations: [] }],
  }),
  'a tenant sees nothing of another': () => ({
    isolation: [{ path: '/v1/operations/x', status: 200 }],
  }),
  'logs have no unhandled rejection and no secret': () => ({
    logs: [{ process: 'api-1', kind: 'unhandled', line: 'unhandledRejection' }],
  }),
};

describe('the checker', () => {
  it('finds nothing in a run that kept its promises', () => {
    expect(runRules(RULES, soundEvidence())).toEqual([]);
  });

  it('has a broken history for each of its rules', () => {
    expect(Object.keys(BROKEN).sort()).toEqual(RULES.map(({ name }) => name).sort());
  });

  it.each(Object.entries(BROKEN))('sees red: %s', (name, breakIt) => {
    const sound = soundEvidence();
    const found = runRules(RULES, { ...sound, ...breakIt(sound) });
    expect(found.map(({ rule }) => rule)).toContain(name);
  });
});

describe('an order of acceptance', () => {
  const transferFirst = (item: number, request: number) => {
    const sound = soundEvidence();
    // Deposit and transfer are the items of one bulk request, answered together.
    const history = sound.history.map((event): HistoryEvent => {
      if (event.kind === 'read' || (event.key !== 'a0-4' && event.key !== 'a0-5')) return event;
      const isTransfer = event.key === 'a0-5';
      const atMs = event.kind === 'invoked' ? 4_000 : 5_050;
      const place = event.kind === 'invoked' && { item: isTransfer ? item : 0 };
      return { ...event, atMs, request: isTransfer ? request : 4, ...place };
    });
    return runRules(RULES, { ...sound, ...swapped(sound), history });
  };

  it('is that of the items of a bulk request', () => {
    expect(transferFirst(1, 4).map(({ breaks }) => breaks)).toEqual(['P8: out of order']);
  });

  it('is given up after the minute for which a stepwise operation holds its line', () => {
    const sound = soundEvidence();
    const passedAfter = (seconds: number) => {
      // The transfer has the deposit's place, and settles so long after the deposit was accepted.
      const at = new Date(Date.parse('2026-01-01T00:00:04Z') + seconds * 1_000);
      const { entries = [] } = swapped(sound);
      const own = entries.map((one) =>
        one.walletId === 'wal_ada' && one.seq >= 4 ? { ...one, createdAt: at } : one,
      );
      return runRules(ORDER_RULES, { ...sound, entries: own }).length;
    };
    expect([passedAfter(59), passedAfter(60)]).toEqual([1, 0]);
  });

  it('is nobody’s claim for requests that were under way together', () => {
    expect(transferFirst(1, 5)).toEqual([]);
  });
});

describe('a verdict', () => {
  const nothing: Evidence = {
    ...soundEvidence(),
    ...{ history: [], operations: [], entries: [], receipts: [], samples: [], faults: [] },
    ...{ wallets: [], holds: [], transfers: [], payments: [], balances: [], isolation: [] },
  };
  const minimum: Minimum = {
    ...{ operations: 6, answers: 6, types: 6, faults: 1 },
    ...{ samples: 1, webhooks: 6, repeats: 0, strangers: 1 },
  };

  it('is inconclusive for a run that did nothing, however clean it is', () => {
    expect(runRules(RULES, nothing)).toEqual([]);
    const { verdict, shortfalls } = judge(nothing, minimum, NOTHING_YET);
    expect(verdict).toBe('inconclusive');
    expect(shortfalls).toHaveLength(7);
  });

  it('is sound once enough was done and nothing found', () => {
    expect(judge(soundEvidence(), minimum, NOTHING_YET)).toEqual({
      verdict: 'sound',
      violations: [],
      shortfalls: [],
    });
  });

  it('does not count a fault that befell nobody', () => {
    const sound = soundEvidence();
    const faults = sound.faults.map((fault) => ({ ...fault, strikes: 0 }));
    expect(findShortfalls({ ...sound, faults }, minimum)).toEqual(['faults: 0 of 1']);
  });
});
