import { LANES } from '../../queues/catalog.ts';
import type { Log } from '../../scripts/dev/servers/report.ts';
import type { Arena } from './arena.ts';
import { type Over, whenOver } from './ending.ts';
import type { Side } from './load.ts';
import { type BenchProcess, startProcess, until } from './processes.ts';

interface WorkersOptions {
  readonly side: Side;
  readonly processes: number;
  readonly nodeArgs?: readonly string[];
  readonly log: Log;
}

const LOOK_MS = 500;
const STALL_MS = 90_000;
const SETTLED_WITHIN_MS = 600_000;

/** Worker processes of a side; `allReady` says when they may be given work. */
export function startWorkers(arena: Arena, options: WorkersOptions): BenchProcess[] {
  const { side, processes, log, nodeArgs = [] } = options;
  const script = side === 'ours' ? 'workers/main.ts' : 'bench/baseline/worker.ts';
  return Array.from({ length: processes }, () =>
    startProcess({ script, env: arena.processEnv, log, nodeArgs }),
  );
}

/** The baseline says so itself; of ours every process must hold its share of the lanes. */
export async function allReady(
  arena: Arena,
  side: Side,
  workers: readonly BenchProcess[],
): Promise<void> {
  if (side === 'baseline') {
    await until('the baseline worker is ready', () =>
      workers.every(({ lines }) => lines.includes('ready')),
    );
    return;
  }
  const share = Math.ceil(LANES.length / workers.length);
  await until('every worker holds its lanes', async () => {
    const owners = await arena.db
      .collection('leases')
      .aggregate<{ readonly lanes: number }>([
        { $match: { _id: { $regex: '^lane:' } } },
        { $group: { _id: '$owner', lanes: { $sum: 1 } } },
      ])
      .toArray();
    const total = owners.reduce((sum, owner) => sum + owner.lanes, 0);
    const isEven = owners.length === workers.length && owners.every(({ lanes }) => lanes <= share);
    return isEven && total === LANES.length;
  });
}

/** By the cheap count of transfers; the exact one is checked afterwards. */
export async function allSettled({ db }: Arena, total: number): Promise<Over> {
  const transfers = db.collection('transfers');
  let last = -1;
  let movedMs = performance.now();
  return whenOver({
    what: `${String(total)} transfers are settled`,
    isOver: async () => {
      const count = await transfers.estimatedDocumentCount();
      if (count !== last) movedMs = performance.now();
      last = count;
      if (performance.now() - movedMs > STALL_MS) {
        throw new Error(`Settlement has stopped at ${count} of ${total}`);
      }
      return count >= total;
    },
    withinMs: SETTLED_WITHIN_MS,
  });
}

export async function allAcknowledged(arena: Arena): Promise<void> {
  await until('all jobs are acknowledged', async () => (await arena.unfinishedJobs()) === 0, {
    everyMs: LOOK_MS,
  });
}
