import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PaydayLine, generatePayday } from '../../../examples/payday.ts';
import { type OperationId, newOperationId } from '../../../core/kernel/ids.ts';
import { type Book, createBook } from '../../../core/ledger/book.ts';
import { parseBulkItem } from '../../../core/ingest/parse-submission.ts';
import { OPERATIONS } from '../../../core/operation-types/registry.ts';
import type { BoundOperation } from '../../../core/operations/define.ts';
import { createRefs } from '../../../cli/import/refs.ts';
import { noneFails } from '../../../core/kernel/every.ts';

const FILE = join(import.meta.dirname, '../../../examples/payday.ndjson');
const DEFAULTS = { users: 200, seed: 1, days: 1 };

interface Accepted {
  readonly id: OperationId;
  readonly bound: BoundOperation;
  readonly line: PaydayLine;
}

/** What the importer and the API make of the lines: names replaced, validated, bound. */
function accept(lines: Iterable<PaydayLine>): readonly Accepted[] {
  const refs = createRefs(1_000_000);
  return [...lines].map((line) => {
    const id = newOperationId();
    const resolution = refs.resolve({ ...line });
    if (resolution.kind !== 'ready') throw new Error(JSON.stringify({ line, resolution }));
    refs.declare(resolution.name);
    refs.accept(resolution.name, id);
    const parsed = parseBulkItem(resolution.item, { registry: OPERATIONS, currencies: [] });
    if (!parsed.ok) throw new Error(JSON.stringify({ line, failure: parsed.failure }));
    return { id, line, bound: parsed.value.definition.bind(parsed.value.input) };
  });
}

/** The line that an operation stands in: its user's, or that of the operation that it follows. */
function queuesOf(operations: readonly Accepted[]): Map<string, Accepted[]> {
  const keyOf = new Map<string, string>();
  const queues = new Map<string, Accepted[]>();
  for (const operation of operations) {
    const { ordering } = operation.bound;
    const key = 'user' in ordering ? ordering.user : (keyOf.get(ordering.follows) ?? 'nobody');
    keyOf.set(operation.id, key);
    queues.set(key, [...(queues.get(key) ?? []), operation]);
  }
  return queues;
}

function draftOf(book: Book, operationId: OperationId) {
  return book.draft({ tenantId: 'default', operationId, at: new Date(0), stripe: 0 });
}

/** A counterparty that is still being created is waited for. */
function isReady(book: Book, { id, bound, line }: Accepted): boolean {
  if (line.type === 'user.create' || line.type === 'wallet.open') return true;
  const draft = draftOf(book, id);
  const wallets = bound.touches.wallets ?? [];
  return noneFails(wallets, ({ userId, currency }) => draft.wallet(userId, currency) !== undefined);
}

/** Settles everything; `next` says which of the queues comes first, whose heads may go in any order. */
function settleInAnyOrder(operations: readonly Accepted[], next: (count: number) => number): Book {
  const empty = new Map<string, never>();
  const book = createBook({ users: empty, wallets: empty, transfers: empty, holds: empty });
  let queues = [...queuesOf(operations).values()];
  while (queues.length > 0) {
    const start = next(queues.length);
    const turn = [...queues.slice(start), ...queues.slice(0, start)];
    const ready = turn.find(([head]) => head !== undefined && isReady(book, head));
    const head = ready?.shift();
    if (head === undefined) throw new Error('every queue waits for another one');
    const draft = draftOf(book, head.id);
    const decision = head.bound.decide(draft, head.id);
    if (!decision.ok) throw new Error(JSON.stringify({ line: head.line, ...decision.failure }));
    book.apply(draft);
    if (ready?.length === 0) queues = queues.filter((queue) => queue.length > 0);
  }
  return book;
}

function balancesOf(book: Book): Readonly<Record<string, string>> {
  const rows = book.changes().wallets.map(({ after: { userId, currency, ...wallet } }) => {
    const { balance, bonusBalance, lockedBalance } = wallet;
    const amounts = [balance, bonusBalance, lockedBalance].map(String).join('/');
    return [`${userId} ${currency}`, amounts] as const;
  });
  return Object.fromEntries(rows);
}

describe('the sample', () => {
  it('is what the generator writes', () => {
    const lines = [...generatePayday(DEFAULTS)].map((line) => `${JSON.stringify(line)}\n`);
    expect(readFileSync(FILE, 'utf8')).toBe(lines.join(''));
  });

  it('has every kind of operation that a pay-day has, and no two equal keys', () => {
    const lines = [...generatePayday(DEFAULTS)];
    const types = new Set(lines.map(({ type }) => type));
    expect([...types].sort()).toEqual(
      Object.values(OPERATIONS)
        .filter(({ type, mode }) => type !== 'user.update' && mode === 'atomic')
        .map(({ type }) => type)
        .sort(),
    );
    expect(new Set(lines.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(lines.length);
    expect(lines.length).toBeGreaterThan(1_000);
    expect(lines.length).toBeLessThan(2_000);
  });
});

describe('a generated pay-day', () => {
  it('succeeds line by line in whatever order the lines of different users settle', () => {
    const operations = accept(generatePayday({ users: 60, seed: 7, days: 2 }));
    const expected = balancesOf(settleInAnyOrder(operations, () => 0));
    const seeds = fc.integer({ min: 1, max: 2 ** 31 - 1 });
    const property = fc.property(seeds, (seed) => {
      let state = seed;
      const next = (count: number): number => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        return (state >>> 8) % count;
      };
      expect(balancesOf(settleInAnyOrder(operations, next))).toEqual(expected);
    });
    fc.assert(property, { numRuns: 20 });
  });

  it('succeeds with any seed and size', () => {
    const options = fc.record({
      users: fc.integer({ min: 1, max: 40 }),
      seed: fc.integer({ min: 0, max: 1_000_000 }),
      days: fc.integer({ min: 1, max: 3 }),
    });
    const property = fc.property(options, (one) => {
      const operations = accept(generatePayday(one));
      settleInAnyOrder(operations, (count) => count - 1);
    });
    fc.assert(property, { numRuns: 30 });
  });

  it('is the same for the same options and another for others', () => {
    const textOf = (options: Parameters<typeof generatePayday>[0]): string =>
      JSON.stringify([...generatePayday(options)]);
    const small = { users: 10, seed: 3, days: 1 };
    expect(textOf(small)).toBe(textOf({ ...small }));
    expect(textOf(small)).not.toBe(textOf({ ...small, seed: 4 }));
  });

  it('shares no user and no key with one of other options', () => {
    const namesOf = (options: Parameters<typeof generatePayday>[0]): Set<string> =>
      new Set(
        [...generatePayday(options)].flatMap(({ idempotencyKey, input }) => [
          idempotencyKey,
          ...('userId' in input ? [String(input['userId'])] : []),
        ]),
      );
    const [one, other] = [namesOf(DEFAULTS), namesOf({ ...DEFAULTS, days: 2 })];
    expect([...one].filter((name) => other.has(name))).toEqual([]);
  });
});
