import { LIMITS } from '../../config/limits.ts';
import type { Clock } from '../kernel/clock.ts';
import type { LaneRow, OperationStore } from '../operations/operation-store.ts';
import type { OperationDoc } from '../operations/operation.ts';
import { type BoundDoc, resourcesOf } from './decide.ts';

/** What the batches under way are writing, so that concurrent ones never meet. */
export interface Flight {
  readonly operations: ReadonlySet<string>;
  /** Lanes to look at again when something lands. */
  readonly revisit: Set<number>;
  hasRoom(): boolean;
  blocks(orderingKey: string, resources: readonly string[]): boolean;
  take(batch: readonly Candidate[]): { readonly slot: number; land(): void };
  landed(): Promise<void>;
}

/** `slotsMax`: batches under way at once, asked anew each time. */
export function createFlight(slotsMax: () => number): Flight {
  const operations = new Set<string>();
  const keys = new Set<string>();
  const resources = new Set<string>();
  const slots = new Set<number>();
  const idle: (() => void)[] = [];
  return {
    operations,
    revisit: new Set(),
    hasRoom: () => slots.size < slotsMax(),
    blocks: (orderingKey, wanted) =>
      keys.has(orderingKey) || wanted.some((resource) => resources.has(resource)),
    take: (batch) => {
      const slot = freeSlot(slots);
      slots.add(slot);
      for (const { one, resources: held } of batch) {
        operations.add(one.operation._id);
        keys.add(one.operation.orderingKey);
        for (const resource of held) resources.add(resource);
      }
      return {
        slot,
        land: () => {
          slots.delete(slot);
          for (const { one, resources: held } of batch) {
            operations.delete(one.operation._id);
            keys.delete(one.operation.orderingKey);
            for (const resource of held) resources.delete(resource);
          }
          if (slots.size === 0) for (const wake of idle.splice(0)) wake();
        },
      };
    },
    landed: async () => {
      if (slots.size === 0) return;
      await new Promise<void>((resolve) => idle.push(resolve));
    },
  };
}

function freeSlot(taken: ReadonlySet<number>): number {
  let slot = 0;
  while (taken.has(slot)) slot += 1;
  return slot;
}

/** Operations that failed for no fault of their own sit out a moment; their line waits with them. */
export interface Cooling {
  add(operationId: string, ms: number): void;
  has(operationId: string): boolean;
  size(): number;
}

export function createCooling(clock: Clock): Cooling {
  const until = new Map<string, number>();
  return {
    add: (operationId, ms) => until.set(operationId, clock.monotonicMs() + ms),
    has: (operationId) => {
      const end = until.get(operationId);
      if (end === undefined) return false;
      if (end > clock.monotonicMs()) return true;
      until.delete(operationId);
      return false;
    },
    size: () => {
      const now = clock.monotonicMs();
      for (const [id, end] of until) if (end <= now) until.delete(id);
      return until.size;
    },
  };
}

export interface Candidate {
  readonly one: BoundDoc;
  /** What its transaction may write. */
  readonly resources: readonly string[];
}

export interface Selection {
  readonly batch: readonly Candidate[];
  /** Something open was left for later. */
  readonly isHeldBack: boolean;
  /** Lines that cannot move now. */
  readonly passedOver: ReadonlySet<string>;
}

interface Selector {
  readonly flight: Flight;
  readonly cooling: Cooling;
  /** Undefined for what this process cannot settle now. */
  readonly bind: (operation: OperationDoc) => BoundDoc | undefined;
  readonly onBlocked: () => void;
  /** What one batch may weigh. */
  readonly batchMax: () => number;
}

/**
 * The longest prefix of every line that meets nothing under way: an operation is passed over when
 * one before it in its line is, so a line never changes its order.
 */
function selectBatch(open: readonly LaneRow[], selector: Selector): Selection {
  const { flight } = selector;
  const batch: Candidate[] = [];
  const passedOver = new Set<string>();
  let weight = 0;
  for (const operation of open) {
    if (flight.operations.has(operation._id)) continue;
    const isBehind = passedOver.has(operation.orderingKey);
    const candidate = isBehind ? undefined : candidateOf(operation, selector);
    if (candidate === undefined) {
      passedOver.add(operation.orderingKey);
      continue;
    }
    weight += Math.max(1, candidate.resources.length / 2);
    if (batch.length > 0 && weight > selector.batchMax()) {
      return { batch, isHeldBack: true, passedOver };
    }
    batch.push(candidate);
  }
  return { batch, isHeldBack: passedOver.size > 0, passedOver };
}

/** Where lines that cannot move fill the whole reading, those behind them get one of their own. */
export async function selectOrLookFurther(
  open: readonly LaneRow[],
  selector: Selector,
  reading: {
    readonly isComplete: boolean;
    readonly readWhole: (ids: readonly OperationDoc['_id'][]) => Promise<WholeById>;
    readonly readWithout: (lines: readonly string[]) => Promise<readonly LaneRow[]>;
  },
): Promise<Selection> {
  const selection = selectBatch(await withInputs(open, selector, reading.readWhole), selector);
  const isStuck = selection.batch.length === 0 && selection.passedOver.size > 0;
  if (reading.isComplete || !isStuck) return selection;
  const others = await reading.readWithout([...selection.passedOver]);
  const stillOpen = others.filter(({ status }) => status === 'accepted');
  const whole = await withInputs(stillOpen, selector, reading.readWhole);
  return { ...selectBatch(whole, selector), isHeldBack: true };
}

/** Looks beside lines that cannot move; where one look ended the next goes on, so all get a turn. */
export function createLooks(store: Pick<OperationStore, 'openBesides' | 'whole'>) {
  let after = '';
  return (lanes: readonly number[], limit: number) => ({
    readWhole: (ids: readonly OperationDoc['_id'][]) => store.whole(ids),
    readWithout: async (lines: readonly string[]) => {
      const found = await store.openBesides(lanes, { lines, after, limit });
      after = found.length < limit ? '' : (found.at(-1)?.orderingKey ?? '');
      return found;
    },
  });
}

type WholeById = ReadonlyMap<string, OperationDoc>;

/**
 * Reads the large inputs that a batch can begin with, within its bytes. One that is left out holds
 * its line back; what is not open any more by now is none of the batch's business.
 */
async function withInputs(
  open: readonly LaneRow[],
  { flight, cooling }: Selector,
  readWhole: (ids: readonly OperationDoc['_id'][]) => Promise<WholeById>,
): Promise<readonly LaneRow[]> {
  const wanted: OperationDoc['_id'][] = [];
  let bytes = 0;
  for (const { _id, orderingKey, input, inputBytes } of open) {
    if (input !== undefined || flight.operations.has(_id) || cooling.has(_id)) continue;
    if (flight.blocks(orderingKey, [])) continue;
    bytes += inputBytes;
    if (wanted.length > 0 && bytes > LIMITS.settlementBytesMax) break;
    wanted.push(_id);
  }
  if (wanted.length === 0) return open;
  const asked = new Set<string>(wanted);
  const whole = await readWhole(wanted);
  return open.flatMap((row) => {
    if (!asked.has(row._id)) return [row];
    const found = whole.get(row._id);
    return found?.status === 'accepted' ? [{ ...row, ...found }] : [];
  });
}

function candidateOf(
  { input, inputBytes: _bytes, ...rest }: LaneRow,
  { flight, cooling, bind, onBlocked }: Selector,
): Candidate | undefined {
  if (cooling.has(rest._id)) return undefined;
  if (flight.blocks(rest.orderingKey, [])) {
    onBlocked();
    return undefined;
  }
  if (input === undefined) return undefined; // too large to be read along with the others
  const one = bind({ ...rest, input });
  if (one === undefined) return undefined;
  const resources = resourcesOf(one);
  if (flight.blocks(rest.orderingKey, resources)) {
    onBlocked();
    return undefined;
  }
  return { one, resources };
}

/** Drops what was refused and whatever stands behind it in its line. */
export function keepGranted(
  batch: readonly Candidate[],
  granted: readonly boolean[],
): readonly Candidate[] {
  const passedOver = new Set<string>();
  return batch.filter(({ one }, index) => {
    const { orderingKey } = one.operation;
    if (granted[index] !== true) passedOver.add(orderingKey);
    return !passedOver.has(orderingKey);
  });
}
