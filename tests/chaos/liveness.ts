import { setTimeout as sleep } from 'node:timers/promises';
import { OVER } from './checker/evidence.ts';
import type { Cluster } from './cluster/cluster.ts';
import type { Read, Reader } from './evidence/reader.ts';
import { countOf } from './evidence/sums.ts';
import type { Random } from './random.ts';
import type { Client } from './workload/client.ts';
import { createRequests } from './workload/requests.ts';

/** What was seen of the way to rest. */
export interface Settling {
  readonly healedAtMs: number;
  readonly endedAtMs: number;
  /** When each operation that was open at the heal was first seen over. */
  readonly settledAtMs: ReadonlyMap<string, number>;
  /** False: something was still open when patience ended. */
  readonly isAtRest: boolean;
}

const LOOK_EVERY_MS = 500;
const SOON_MS = 3_000;
/**
 * As long as something ends within the bound, and this many times the bound at the most: on a slow
 * machine what is late is told from what never ends, and all else is judged of what has ended.
 */
const PATIENCE = 8;

/** Asks for everything that is not known yet, until every key has its answer. */
export async function resolveUnknown(client: Client, timeoutMs: number): Promise<void> {
  for (const request of client.unknown()) await client.sendSurely(request, timeoutMs);
}

const NEW_LINES = 4;
let rounds = 0;

/** New work, too: to finish the old is not enough. */
export async function makeProgress(
  client: Client,
  random: Random,
  timeoutMs: number,
): Promise<void> {
  rounds += 1;
  const requests = createRequests(random, `heal${String(rounds)}`);
  const lines = Array.from({ length: NEW_LINES }, () => requests.line());
  await Promise.all(
    lines.map(async (line) => {
      for (const request of line) await client.sendSurely(request, timeoutMs);
    }),
  );
}

async function openIds(read: Read): Promise<readonly string[]> {
  const found = await read.find('operations', { status: { $nin: OVER } }, { _id: 1 });
  return found.map(({ _id }) => String(_id));
}

export async function watchSettling(
  cluster: Cluster,
  reader: Reader,
  options: { readonly healedAtMs: number; readonly boundMs: number },
): Promise<Settling> {
  const { healedAtMs, boundMs } = options;
  const settledAtMs = new Map<string, number>();
  let open = new Set<string>();
  const deadlineMs = healedAtMs + boundMs * PATIENCE;
  let movedAtMs = healedAtMs + boundMs / 2;
  for (;;) {
    const now = await reader.snapshot(openIds).catch(() => undefined);
    const atMs = cluster.nowMs();
    if (now !== undefined) {
      const still = new Set(now);
      for (const id of open) if (!still.has(id)) settledAtMs.set(id, atMs);
      if ([...open].some((id) => !still.has(id))) movedAtMs = Math.max(movedAtMs, atMs);
      open = new Set([...open].filter((id) => still.has(id)));
      for (const id of still) open.add(id);
      if (still.size === 0) return { healedAtMs, endedAtMs: atMs, settledAtMs, isAtRest: true };
    }
    if (atMs > Math.min(deadlineMs, movedAtMs + boundMs)) {
      return { healedAtMs, endedAtMs: atMs, settledAtMs, isAtRest: false };
    }
    await sleep(LOOK_EVERY_MS);
  }
}

/** Waits until what follows from settled operations has gone out, or the time is over. */
export async function watchDeliveries(reader: Reader, timeoutMs: number): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs * PATIENCE;
  let fewest = Infinity;
  let movedAtMs = performance.now();
  for (;;) {
    const left = await reader
      .snapshot(async (read) => {
        const rows = await countOf(read, 'outbox', {});
        const fresh = { status: { $in: ['pending', 'sending'] }, 'attempts.0': { $exists: false } };
        // A digest gathers for an hour, and a breaker keeps what it keeps.
        const due = { $not: { $gt: new Date(Date.now() + SOON_MS) } };
        return rows + (await countOf(read, 'deliveries', { ...fresh, notBefore: due }));
      })
      .catch(() => Infinity);
    if (left < fewest) [fewest, movedAtMs] = [left, performance.now()];
    if (left === 0 || performance.now() > Math.min(deadlineMs, movedAtMs + timeoutMs)) return;
    await sleep(LOOK_EVERY_MS);
  }
}
