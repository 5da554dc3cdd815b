import { LIMITS } from '../../config/limits.ts';
import { NO_PAUSES, type Pauses } from '../service-config/pause.ts';
import type { OperationId } from '../kernel/ids.ts';
import type { Claim } from './claim.ts';
import { behindPaused, byPause, heldIn } from './held.ts';
import { type Head, type LineStore, createLineStore } from './line-store.ts';
import { type Place, turnIn } from './line.ts';
import { type OperationDoc, isOlder, jobOf } from './operation.ts';
import type { JobPublisher } from './ports.ts';

/** What is to be known of an atomic operation that may have to wait. */
type Waiting = Pick<OperationDoc, '_id' | 'orderingKey' | 'stamp' | 'type' | 'tenantId' | 'lane'>;

/** Who has to wait in line, and whose turn it is. The database is the truth; the jobs are hints. */
export interface Lines {
  /**
   * Which of some atomic operations, about to be settled together, stand behind something older that
   * is not in a lane, or are held back by a pause. They have left their lane when this returns, and
   * come back when it is their turn.
   */
  holdBack(operations: readonly Waiting[]): Promise<ReadonlySet<string>>;
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
  readonly pauses: Pauses;
}

/** On MongoDB. */
export function openLines(
  db: Parameters<typeof createLineStore>[0],
  publisher: LinesDeps['publisher'],
  pauses: Pauses = NO_PAUSES,
): Lines {
  return createLines({ store: createLineStore(db), publisher, pauses });
}

function createLines({ store, publisher, pauses }: LinesDeps): Lines {
  const isPaused = (pause: string): boolean => pauses.isActive(pause);
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
    const turns = queues.map((places) =>
      turnIn(places, now, { runMax: LIMITS.lineRunMax, isPaused }),
    );
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

  const putAside = async (held: ReadonlyMap<OperationId, string>): Promise<void> => {
    for (const [pausedBy, ids] of byPause(held)) {
      await store.putInLine(ids, { ms: LIMITS.waitRecheckMs, pausedBy });
    }
  };

  const moveOn = async (lines: readonly string[]): Promise<void> => {
    let left: readonly string[] = [...new Set(lines)];
    while (left.length > 0) left = await moveOnPage(left);
  };

  return Object.freeze({
    holdBack: async (operations) => {
      if (operations.length === 0) return new Set<string>();
      const held = heldIn(operations, pauses);
      await putAside(held);
      const others = operations.filter(({ _id }) => !held.has(_id));
      const lines = [...new Set(others.map(({ orderingKey }) => orderingKey))];
      const heads = await store.heads(
        lines,
        others.map(({ _id }) => _id),
      );
      const stopped = others.filter((one) => isBehind(one, heads.get(one.orderingKey)?.first));
      const behindHeld = behindPaused(stopped, heads, isPaused);
      await putAside(behindHeld);
      for (const [id, pause] of behindHeld) held.set(id, pause);
      const behind = stopped.filter(({ _id }) => !behindHeld.has(_id));
      if (behind.length === 0) return new Set<string>(held.keys());
      const isDeep = ({ orderingKey }: (typeof behind)[number]): boolean =>
        isParked(heads.get(orderingKey));
      const idsOf = (some: typeof behind): readonly OperationId[] => some.map(({ _id }) => _id);
      const shallow = behind.filter((one) => !isDeep(one));
      await store.putInLine(idsOf(behind.filter(isDeep)), { ms: LIMITS.lineDeepCheckMs });
      await store.putInLine(idsOf(shallow), { ms: LIMITS.lineCheckMs });
      // What they wait for may have ended just before they were put there, and seen nobody.
      await moveOn(behind.map(({ orderingKey }) => orderingKey));
      return new Set<string>([...held.keys(), ...idsOf(behind)]);
    },
    giveBackEarly: async (claims, owner) => {
      const first = claims.filter(isFirst);
      const paused = heldIn(
        first.map(({ operation }) => operation),
        pauses,
      );
      for (const [pausedBy, ids] of byPause(paused)) {
        await store.giveBack(ids, owner, { ms: LIMITS.waitRecheckMs, pausedBy });
      }
      const rest = await giveBackOthers(
        first.filter(({ operation }) => !paused.has(operation._id)),
        owner,
      );
      return new Set<string>([...paused.keys(), ...rest]);
    },
    moveOn,
  } satisfies Lines);

  async function giveBackOthers(
    fresh: readonly Claim[],
    owner: string,
  ): Promise<ReadonlySet<string>> {
    if (fresh.length === 0) return new Set<string>();
    const early = await earlyOnes(store, fresh, isPaused);
    await Promise.all(
      early.late.map(({ operation, at }) =>
        store.shorten(operation._id, owner, latestOf(operation, at)),
      ),
    );
    if (early.all.length === 0) return new Set<string>();
    const ids = (some: readonly Claim[]) => some.map(({ operation }) => operation._id);
    const { deep, brief, held } = early;
    const others = early.all.filter((one) => !deep.has(one) && !brief.has(one) && !held.has(one));
    for (const [pausedBy, some] of byPause(held)) {
      await store.giveBack(ids(some), owner, { ms: LIMITS.waitRecheckMs, pausedBy });
    }
    await store.giveBack(ids([...deep]), owner, { ms: LIMITS.lineDeepCheckMs });
    await store.giveBack(ids([...brief]), owner, { ms: LIMITS.lineCreationCheckMs });
    await store.giveBack(ids(others), owner, { ms: LIMITS.lineCheckMs });
    const moved = early.all.filter((one) => !early.brief.has(one));
    await moveOn(moved.map(({ operation }) => operation.orderingKey));
    return new Set<string>(ids(early.all));
  }
}

interface Early {
  readonly all: readonly Claim[];
  /** Behind something that waits itself: whoever lets that in looks at these too. */
  readonly deep: ReadonlySet<Claim>;
  /** Behind something that a pause holds back. */
  readonly held: ReadonlyMap<Claim, string>;
  /** Waiting for what another line creates, which does not know of them. */
  readonly brief: ReadonlySet<Claim>;
  /** Whose turn it is behind something that holds the line no longer. */
  readonly late: readonly Claim[];
}

/** Lanes first, then lines: what leaves its lane for the line is in both for a moment, never in none. */
async function earlyOnes(
  store: LineStore,
  fresh: readonly Claim[],
  isPaused: (pause: string) => boolean,
): Promise<Early> {
  const lines = [...new Set(fresh.map(({ operation }) => operation.orderingKey))];
  const users = [...new Set(fresh.map(({ operation }) => userLineOf(operation)))];
  const inLanes = await store.oldestInLanes([...new Set([...lines, ...users])]);
  const creating = await store.creating(users);
  const heads = await store.heads(lines);
  const deep = new Set<Claim>();
  const brief = new Set<Claim>();
  const late: Claim[] = [];
  const held = new Map<Claim, string>();
  const all = fresh.filter((claim) => {
    const { operation } = claim;
    const head = heads.get(operation.orderingKey);
    const userLine = userLineOf(operation);
    if (isBehind(operation, head?.first)) {
      const pause = activePause(head, isPaused);
      if (pause !== undefined) held.set(claim, pause);
      else if (isParked(head)) deep.add(claim);
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
  return { all, deep, brief, late, held };
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

/** The pause for which the first of a line waits. */
function activePause(
  head: Head | undefined,
  isPaused: (pause: string) => boolean,
): string | undefined {
  const pause = head?.first?.pausedBy;
  return pause !== undefined && isPaused(pause) ? pause : undefined;
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
