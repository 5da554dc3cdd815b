import { LIMITS } from '../../config/limits.ts';
import type { OperationId } from '../kernel/ids.ts';
import type { Claim } from './claim.ts';
import { type Head, type LineStore, createLineStore } from './line-store.ts';
import { type Place, turnIn } from './line.ts';
import { type OperationDoc, isOlder, jobOf } from './operation.ts';
import type { JobPublisher } from './ports.ts';

/** Who has to wait in line, and whose turn it is. The database is the truth; the jobs are hints. */
export interface Lines {
  /**
   * Which of some atomic operations, about to be settled together, stand behind something older that
   * is not in a lane. They have left their lane when this returns, and come back when it is their
   * turn.
   */
  holdBack(
    operations: readonly Pick<OperationDoc, '_id' | 'orderingKey' | 'stamp'>[],
  ): Promise<ReadonlySet<string>>;
  /** Which of some fresh claims came before their turn: they are given back, and are let in later. */
  giveBackEarly(claims: readonly Claim[], owner: string): Promise<ReadonlySet<string>>;
  /**
   * Lets in whose turn it is. To be called whenever something that others may wait for has ended or
   * has let its line go; forgetting it costs time, since recovery looks as well.
   */
  moveOn(lines: readonly string[]): Promise<void>;
}

interface LinesDeps {
  readonly store: LineStore;
  readonly publisher: Pick<JobPublisher, 'publishOperations'>;
}

/** On MongoDB. */
export function openLines(
  db: Parameters<typeof createLineStore>[0],
  publisher: LinesDeps['publisher'],
): Lines {
  return createLines({ store: createLineStore(db), publisher });
}

function createLines({ store, publisher }: LinesDeps): Lines {
  /** Those of one page: lines that were read in full, but for a single one, of which the head counts. */
  const moveOnPage = async (lines: readonly string[]): Promise<readonly string[]> => {
    const places = await store.inLine(lines, LIMITS.linePageMax);
    const byLine = grouped(places);
    const isCut = places.length === LIMITS.linePageMax;
    const last = places.at(-1);
    if (last !== undefined && isCut && byLine.size > 1) byLine.delete(last.orderingKey);
    await take([...byLine.values()], last?.now ?? new Date(0));
    return isCut ? lines.filter((line) => !byLine.has(line)) : [];
  };

  const take = async (queues: readonly (readonly Place[])[], now: Date): Promise<void> => {
    const turns = queues.map((places) => turnIn(places, now, LIMITS.lineRunMax));
    const candidates = turns.flatMap(({ candidate }) => candidate ?? []);
    const keys = candidates.map(({ orderingKey }) => orderingKey);
    const inLanes = keys.length === 0 ? new Map<string, Place>() : await store.oldestInLanes(keys);
    const ready = candidates.filter((place) => !isBehind(place, inLanes.get(place.orderingKey)));
    const chosen = [...turns.flatMap(({ letIn }) => letIn), ...ready];
    // First who goes on waiting: whatever happens to this process, the head of a line is looked at.
    const soon = new Date(now.getTime() + LIMITS.lineCheckMs);
    for (const { next, until = soon } of turns) {
      const at = until < soon ? until : soon;
      const isLate = next?.nextCheckAt === undefined || next.nextCheckAt > at;
      if (next !== undefined && isLate) await store.checkBy([next._id], at);
    }
    const letIn = await store.letIn(chosen.map(({ _id }) => _id));
    if (letIn.length > 0) await publisher.publishOperations(letIn.map(jobOf));
  };

  const moveOn = async (lines: readonly string[]): Promise<void> => {
    let left: readonly string[] = [...new Set(lines)];
    while (left.length > 0) left = await moveOnPage(left);
  };

  return Object.freeze({
    holdBack: async (operations) => {
      if (operations.length === 0) return new Set<string>();
      const lines = [...new Set(operations.map(({ orderingKey }) => orderingKey))];
      const heads = await store.heads(
        lines,
        operations.map(({ _id }) => _id),
      );
      const behind = operations.filter((one) => isBehind(one, heads.get(one.orderingKey)?.first));
      if (behind.length === 0) return new Set<string>();
      const isDeep = ({ orderingKey }: (typeof behind)[number]): boolean =>
        isParked(heads.get(orderingKey));
      const idsOf = (some: typeof behind): readonly OperationId[] => some.map(({ _id }) => _id);
      await store.putInLine(idsOf(behind.filter(isDeep)), LIMITS.lineDeepCheckMs);
      await store.putInLine(idsOf(behind.filter((one) => !isDeep(one))), LIMITS.lineCheckMs);
      // What they wait for may have ended just before they were put there, and seen nobody.
      await moveOn(behind.map(({ orderingKey }) => orderingKey));
      return new Set<string>(idsOf(behind));
    },
    giveBackEarly: async (claims, owner) => {
      const fresh = claims.filter(isFirst);
      if (fresh.length === 0) return new Set<string>();
      const early = await earlyOnes(store, fresh);
      await Promise.all(
        early.late.map(({ operation, at }) =>
          store.shorten(operation._id, owner, latestOf(operation, at)),
        ),
      );
      if (early.all.length === 0) return new Set<string>();
      const ids = (some: readonly Claim[]) => some.map(({ operation }) => operation._id);
      const others = early.all.filter((one) => !early.deep.has(one) && !early.brief.has(one));
      await store.giveBack(ids([...early.deep]), owner, LIMITS.lineDeepCheckMs);
      await store.giveBack(ids([...early.brief]), owner, LIMITS.lineCreationCheckMs);
      await store.giveBack(ids(others), owner, LIMITS.lineCheckMs);
      const moved = early.all.filter((one) => !early.brief.has(one));
      await moveOn(moved.map(({ operation }) => operation.orderingKey));
      return new Set<string>(ids(early.all));
    },
    moveOn,
  } satisfies Lines);
}

interface Early {
  readonly all: readonly Claim[];
  /** Behind something that waits itself: whoever lets that in looks at these too. */
  readonly deep: ReadonlySet<Claim>;
  /** Waiting for what another line creates, which does not know of them. */
  readonly brief: ReadonlySet<Claim>;
  /** Whose turn it is behind something that holds the line no longer. */
  readonly late: readonly Claim[];
}

/** Lanes first, then lines: what leaves its lane for the line is in both for a moment, never in none. */
async function earlyOnes(store: LineStore, fresh: readonly Claim[]): Promise<Early> {
  const lines = [...new Set(fresh.map(({ operation }) => operation.orderingKey))];
  const users = [...new Set(fresh.map(({ operation }) => userLineOf(operation)))];
  const inLanes = await store.oldestInLanes([...new Set([...lines, ...users])]);
  const creating = await store.creating(users);
  const heads = await store.heads(lines);
  const deep = new Set<Claim>();
  const brief = new Set<Claim>();
  const late: Claim[] = [];
  const all = fresh.filter((claim) => {
    const { operation } = claim;
    const head = heads.get(operation.orderingKey);
    const userLine = userLineOf(operation);
    if (isBehind(operation, head?.first)) {
      if (isParked(head)) deep.add(claim);
      return true;
    }
    if (isBehind(operation, inLanes.get(operation.orderingKey))) return true;
    const others = [inLanes.get(userLine), ...(creating.get(userLine) ?? [])];
    if (others.some((other) => isBehind(operation, other))) {
      brief.add(claim);
      return true;
    }
    if (isBehind(operation, head?.late)) late.push(claim);
    return false;
  });
  return { all, deep, brief, late };
}

/** Not begun, and nothing from outside ends it before it begins. */
function isFirst({ operation, at }: Claim): boolean {
  const { line, steps = [], cancelRequested, deadline } = operation;
  const isOver = cancelRequested !== undefined || (deadline !== undefined && deadline <= at);
  return line !== undefined && steps.length === 0 && !isOver;
}

function userLineOf({ userLine, orderingKey }: OperationDoc): string {
  return userLine ?? orderingKey;
}

/** Behind one that has used up the line's patience there is only what is left of one's own. */
function latestOf({ createdAt, requestedRunAt }: OperationDoc, at: Date): Date {
  const since = Math.max(createdAt.getTime(), requestedRunAt?.getTime() ?? 0);
  return new Date(Math.max(at.getTime(), since + LIMITS.lineHoldMs));
}

function isBehind(
  one: Pick<OperationDoc, '_id' | 'stamp'>,
  other: Pick<OperationDoc, '_id' | 'stamp'> | undefined,
): boolean {
  return other !== undefined && isOlder(other, one);
}

function isParked(head: Head | undefined): boolean {
  return head?.first?.status === 'waiting' && head.first.lineUntil === undefined;
}

function grouped<T extends Place>(places: readonly T[]): Map<string, T[]> {
  const byLine = new Map<string, T[]>();
  for (const place of places) {
    const list = byLine.get(place.orderingKey);
    if (list === undefined) byLine.set(place.orderingKey, [place]);
    else list.push(place);
  }
  return byLine;
}
