import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StruckFault } from '../checker/evidence.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Random } from '../random.ts';
import type { FaultKind, Strike } from './fault-kind.ts';
import type { PlannedFault } from './plan.ts';

/** How much longer a fault lasts that has befallen nobody so far. */
const LONGER_MS_MAX = 12_000;
const LOOK_EVERY_MS = 250;

interface NemesisOptions {
  readonly cluster: Cluster;
  readonly kinds: readonly FaultKind[];
  readonly plan: readonly PlannedFault[];
  readonly random: Random;
  /** Ends it early: what is broken is healed, what was planned is left out. */
  readonly signal: AbortSignal;
  readonly onFault: (text: string) => void;
}

/** For whoever is still being mended after an earlier fault: a slow machine takes longer than was planned. */
const MENDING_MS_MAX = 60_000;

/** Carries out a plan; resolves once everything is healed, with what really happened. */
export async function runNemesis(options: NemesisOptions): Promise<readonly StruckFault[]> {
  const { plan, signal } = options;
  setMaxListeners(plan.length + 1, signal); // every fault waits for it
  const startedMs = options.cluster.nowMs();
  const claimed = new Set<string>();
  const struck = await Promise.all(
    plan.map((fault) => carryOut(fault, { ...options, startedMs, claimed })),
  );
  return struck.flatMap((fault) => fault ?? []);
}

interface Carrying extends NemesisOptions {
  readonly startedMs: number;
  /** What is broken now, or being mended. */
  readonly claimed: Set<string>;
}

async function carryOut(fault: PlannedFault, options: Carrying): Promise<StruckFault | undefined> {
  const { kinds, cluster, signal, startedMs, claimed } = options;
  const kind = kinds.find(({ name }) => name === fault.kind);
  if (kind === undefined) throw new Error(`there is no kind of fault named ${fault.kind}`);
  await pause(startedMs + fault.atMs - cluster.nowMs(), signal);
  const claims = kind.claims(fault.target);
  const isTaken = (): boolean => claims.some((claim) => claimed.has(claim));
  const giveUpMs = cluster.nowMs() + MENDING_MS_MAX;
  while (isTaken() && !signal.aborted && cluster.nowMs() < giveUpMs) {
    await pause(LOOK_EVERY_MS, signal);
  }
  if (signal.aborted || isTaken()) return undefined;
  for (const claim of claims) claimed.add(claim);
  try {
    return await strikeAndHeal(fault, kind, options);
  } finally {
    for (const claim of claims) claimed.delete(claim);
  }
}

async function strikeAndHeal(
  fault: PlannedFault,
  kind: FaultKind,
  { cluster, random, signal, onFault }: Carrying,
): Promise<StruckFault> {
  const { id, target, forMs } = fault;
  const struckAtMs = cluster.nowMs();
  onFault(`${id} ${kind.name} ${target}, ${(forMs / 1_000).toFixed(1)} s`);
  let strike: Strike;
  try {
    strike = await kind.strike({ cluster, target, forMs, random: random.fork(id) });
  } catch (error) {
    return {
      id,
      kind: kind.name,
      target,
      struckAtMs,
      healedAtMs: cluster.nowMs(),
      strikes: 0,
      note: `not had: ${String(error)}`,
    };
  }
  await pause(struckAtMs + forMs - cluster.nowMs(), signal);
  // On a slow machine nobody may have come that way yet.
  for (let waitedMs = 0; waitedMs < LONGER_MS_MAX && isToCome(strike); waitedMs += LOOK_EVERY_MS) {
    if (signal.aborted) break;
    await pause(LOOK_EVERY_MS, signal);
  }
  await strike.heal();
  const { note } = strike;
  return {
    id,
    kind: kind.name,
    target,
    struckAtMs,
    healedAtMs: cluster.nowMs(),
    strikes: strike.strikes(),
    ...(note !== undefined && { note }),
  };
}

function isToCome({ strikes, isCountedAtEnd }: Strike): boolean {
  return isCountedAtEnd !== true && strikes() === 0;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => undefined); // aborted
}
