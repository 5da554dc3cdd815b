import type { EntryRow, Evidence, HistoryEvent, OperationRow } from './evidence.ts';
import { ofKind } from './acceptance-rules.ts';
import { type Finding, type Rule, byId, grouped } from './rule.ts';
import { LIMITS } from '../../../config/limits.ts';
import { noneFails } from '../../../core/kernel/every.ts';

type Invoked = Extract<HistoryEvent, { readonly kind: 'invoked' }>;

/** When a key was first sent, and when its operation was first known to be accepted. */
interface Acceptance {
  readonly key: string;
  readonly id: string;
  readonly first: Invoked;
  readonly answeredAtMs: number;
  /** Answered by its very first request, a bulk: then its place in there counts. */
  readonly bulk: { readonly request: number; readonly item: number } | undefined;
}

function acceptancesOf(evidence: Evidence): ReadonlyMap<string, Acceptance> {
  const invoked = grouped(ofKind(evidence, 'invoked'), ({ key }) => key);
  const found = new Map<string, Acceptance>();
  for (const { key, id, atMs, request } of ofKind(evidence, 'answered')) {
    const requests = invoked.get(key) ?? [];
    const [first] = requests;
    if (found.has(id) || first === undefined) continue;
    const isFirst =
      requests.filter((one) => one.atMs <= atMs).length === 1 && first.request === request;
    const bulk = isFirst && first.item !== undefined ? { request, item: first.item } : undefined;
    found.set(id, { key, id, first, answeredAtMs: atMs, bulk });
  }
  return found;
}

/** One was accepted before the other was sent, or stood before it in one bulk request. */
function isBefore(one: Acceptance, other: Acceptance): boolean {
  if (one.answeredAtMs < other.first.atMs) return true;
  return (
    one.bulk !== undefined &&
    one.bulk.request === other.bulk?.request &&
    one.bulk.item < other.bulk.item
  );
}

interface Settled {
  readonly operation: OperationRow;
  readonly acceptance: Acceptance;
  /** Number of its first entry in the wallet. */
  readonly seq: number;
  readonly at: Date;
}

/** A stepwise operation that has posted nothing for so long since it began has lost its line. */
const LINE_HOLD_MS = LIMITS.lineHoldMs;

/** Of an older operation and what passed it at that time: the promise is that it holds a minute, no more. */
function mayBePassed({ isStepwise, createdAt }: OperationRow, at: Date): boolean {
  return isStepwise && at.getTime() - createdAt.getTime() >= LINE_HOLD_MS;
}

/** The user whose line an operation stands in, as its ordering key says. */
function lineUser({ orderingKey }: OperationRow): string | undefined {
  return /\|u:(.+)$/.exec(orderingKey)?.[1];
}

function settledInLine(
  operations: readonly OperationRow[],
  acceptances: ReadonlyMap<string, Acceptance>,
  entries: ReadonlyMap<string, readonly EntryRow[]>,
): readonly Settled[] {
  return operations.flatMap((operation): Settled[] => {
    const acceptance = acceptances.get(operation.id);
    const user = lineUser(operation);
    const own = (entries.get(operation.id) ?? []).filter(({ userId }) => userId === user);
    if (acceptance === undefined) return [];
    const [first] = [...own].sort((a, b) => a.seq - b.seq);
    if (first === undefined) return [];
    return [{ operation, acceptance, seq: first.seq, at: first.createdAt }];
  });
}

/**
 * P8 by the log itself: of two operations of one line that moved money of its user, the one that
 * was accepted before the other was sent has the earlier entry.
 */
const inOrderOfAcceptance: Rule = {
  name: 'operations of a line settle in the order of acceptance',
  breaks: 'P8: out of order',
  check: (evidence) => {
    const acceptances = acceptancesOf(evidence);
    const entries = grouped(evidence.entries, ({ operationId }) => operationId);
    return [...grouped(evidence.operations, ({ orderingKey }) => orderingKey)].flatMap(
      ([line, operations]) => {
        const settled = settledInLine(operations, acceptances, entries);
        return outOfOrder(
          line,
          [...settled].sort((a, b) => a.seq - b.seq),
        );
      },
    );
  },
};

/**
 * Against those that settled before it: whoever of them was sent last, and whoever stood last in its
 * own bulk, so that a long line costs no more than its length.
 */
function outOfOrder(line: string, inOrder: readonly Settled[]): Finding[] {
  const findings: Finding[] = [];
  let sentLast: Settled | undefined;
  const lastOfBulk = new Map<number, Settled>();
  for (const late of inOrder) {
    const { bulk, first } = late.acceptance;
    const candidates = [sentLast, bulk === undefined ? undefined : lastOfBulk.get(bulk.request)];
    const early = candidates.find(
      (one) => one !== undefined && isBefore(late.acceptance, one.acceptance),
    );
    if (sentLast === undefined || first.atMs > sentLast.acceptance.first.atMs) sentLast = late;
    const known = bulk === undefined ? undefined : lastOfBulk.get(bulk.request)?.acceptance.bulk;
    if (bulk !== undefined && bulk.item > (known?.item ?? -1)) lastOfBulk.set(bulk.request, late);
    if (early === undefined || mayBePassed(late.operation, early.at)) continue;
    const [a, b] = [late.operation, early.operation];
    const detail = `${a.type} ${a.id} was accepted before ${b.type} ${b.id} was sent, and settled after it`;
    findings.push([line, detail]);
  }
  return findings;
}

interface UserInput {
  readonly userId?: string;
  readonly fromUserId?: string;
}

/** Outcomes that only a missing predecessor explains. */
const FOR_WANT: ReadonlySet<string> = new Set([
  'user_not_found',
  'wallet_not_found',
  'insufficient_funds',
  'insufficient_bonus',
]);

/** P8 by outcomes: what an operation needed was accepted before it, so it cannot lack it. */
const notForWant: Rule = {
  name: 'nothing is refused for want of what was accepted before it',
  breaks: 'P8: out of order, and frozen under its key',
  check: (evidence) => {
    const acceptances = acceptancesOf(evidence);
    const provided = [...acceptances.values()].filter(
      ({ first }) => first.purpose.isProvided === true,
    );
    const stored = byId(evidence.operations);
    const lines = grouped(provided, ({ first }) => {
      const { userId, fromUserId } = first.input as UserInput;
      return userId ?? fromUserId ?? '';
    });
    return [...lines.values()].flatMap((line) =>
      line.flatMap((acceptance): Finding[] => {
        const operation = stored.get(acceptance.id);
        if (operation === undefined || !FOR_WANT.has(operation.errorCode ?? '')) return [];
        // What it was given: the earlier ones, by their keys, which count up along a line.
        const needed = line.filter(({ key }) => numberOf(key) < numberOf(acceptance.key));
        const all = needed.length > 0 && needed.length === placeOf(line, acceptance);
        const { completedAt } = operation;
        const isProvided =
          all &&
          !needed.some((one) => wasPassed(stored.get(one.id), completedAt)) &&
          noneFails(
            needed,
            (one) => isBefore(one, acceptance) && stored.get(one.id)?.status === 'succeeded',
          );
        const { id, type, status, errorCode = '' } = operation;
        return isProvided ? [[id, `${type} ${status} ${errorCode} (key ${acceptance.key})`]] : [];
      }),
    );
  },
};

/** It had not ended then, and may be passed. */
function wasPassed(older: OperationRow | undefined, at: Date | undefined): boolean {
  if (older?.completedAt === undefined || at === undefined) return false;
  return older.completedAt > at && mayBePassed(older, at);
}

function numberOf(key: string): number {
  return Number(key.split('-').at(-1));
}

/** How many steps its line had before it: the first of a line creates its user. */
function placeOf(line: readonly Acceptance[], one: Acceptance): number {
  const first = line.find(({ first: { type } }) => type === 'user.create');
  return first === undefined ? Infinity : numberOf(one.key) - numberOf(first.key);
}

export const ORDER_RULES: readonly Rule[] = [inOrderOfAcceptance, notForWant];
