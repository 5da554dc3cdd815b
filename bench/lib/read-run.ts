import { collection } from '../../core/infra/collections.ts';
import type { UserDoc } from '../../core/ledger/documents.ts';
import { userDocId } from '../../core/ledger/documents.ts';
import { type OperationDoc, userOrderingKey } from '../../core/operations/operation.ts';
import { type Arena, openArena } from './arena.ts';
import { cpuBetween, readCpu } from './cpu.ts';
import { type Api, BENCH_KEY, startApi } from './http-side.ts';
import { type Side, TENANT, openWallets } from './load.ts';
import { type LoadProcess, startLoad } from './load-process.ts';
import type { RunDeps, Sample } from './measure.ts';
import { type ReadKind, storedOperationId } from './reads.ts';
import { CURRENCY, userName } from './transfers.ts';

export interface ReadScenario {
  readonly side: Side;
  readonly what: ReadKind;
  readonly query: string;
  readonly connections: number;
  readonly requests: number;
  /** Sent before the clock starts, to the same process. */
  readonly warmUp: number;
  readonly wallets: number;
}

/** Reads per second that are answered with 200 by one API process; nothing is written meanwhile. */
export async function runReads(
  deps: RunDeps,
  scenario: ReadScenario,
  seed: number,
): Promise<Sample> {
  const arena = await openArena(deps.urls);
  let api: Api | undefined;
  let load: LoadProcess | undefined;
  try {
    await store(arena, scenario);
    api = await startApi(arena, { ...scenario, log: deps.log });
    const { connections, wallets, warmUp, requests, what, query } = scenario;
    const status = 200;
    load = await startLoad({ port: api.port, connections, apiKey: BENCH_KEY });
    await load.prepare({ what, query, count: warmUp, wallets, seed: seed + 1_000 });
    await load.offer(status);
    await load.prepare({ what, query, count: requests, wallets, seed });
    const watched = { node: [api.pid], load: [load.pid], servers: deps.servers };
    const before = readCpu(watched);
    const { elapsedMs, p50Ms, p99Ms } = await load.offer(status);
    const cpu = cpuBetween(before, readCpu(watched));
    return {
      perSecond: (requests / elapsedMs) * 1_000,
      operations: requests,
      cpu,
      latencyMs: { p50: p50Ms, p99: p99Ms },
    };
  } finally {
    load?.stop();
    await api?.stop();
    await arena.close();
  }
}

const CHUNK = 2_000;

/** What is read, and no more than that. */
async function store(arena: Arena, { what, wallets: count }: ReadScenario): Promise<void> {
  const indexes = Array.from({ length: count }, (_, index) => index);
  if (what === 'operation') {
    const operations = collection<OperationDoc>(arena.db, 'operations');
    for (let start = 0; start < count; start += CHUNK) {
      const docs = indexes.slice(start, start + CHUNK).map(settledTransfer);
      await operations.insertMany(docs, { ordered: false });
    }
    return;
  }
  await openWallets(arena, count);
  if (what !== 'wallets') return;
  const users = collection<UserDoc>(arena.db, 'users');
  for (let start = 0; start < count; start += CHUNK) {
    const docs = indexes.slice(start, start + CHUNK).map(userOf);
    await users.insertMany(docs, { ordered: false });
  }
}

function userOf(index: number): UserDoc {
  const at = new Date();
  const userId = userName(index);
  const names = { _id: userDocId(TENANT, userId), tenantId: TENANT, userId };
  return { ...names, status: 'active', createdAt: at, updatedAt: at };
}

/** As settlement leaves it. */
function settledTransfer(index: number): OperationDoc {
  const at = new Date();
  const _id = storedOperationId(index);
  const to = userName(index + 1);
  return {
    _id,
    tenantId: TENANT,
    type: 'transfer',
    typeVersion: 1,
    input: { fromUserId: userName(index), toUserId: to, currency: CURRENCY, amount: '100' },
    idempotencyKey: `stored-${String(index)}`,
    requestHash: 'stored',
    status: 'succeeded',
    epoch: 1,
    orderingKey: userOrderingKey(TENANT, userName(index)),
    lane: 0,
    stamp: 0n,
    dispatch: { queue: 'settlement-0', seq: 1, at },
    correlationId: 'stored',
    result: { transferId: `trf_${_id.slice(3)}` },
    settledBy: { worker: 'stored' },
    createdAt: at,
    updatedAt: at,
    completedAt: at,
  };
}
