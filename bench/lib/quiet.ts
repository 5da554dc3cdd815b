import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../scripts/dev/servers/report.ts';
import { type ServerPids, cpuBetween, readCpu } from './cpu.ts';

/** Above this share of the machine that others use, figures wander. */
const OTHERS_SHARE_MAX = 0.15;
const LOOK_MS = 3_000;
const MINUTE_MS = 60_000;

/** Share of the machine's CPU that goes to neither the bench nor its servers. */
async function measureOthers(servers: ServerPids): Promise<number> {
  const before = readCpu({ node: [], servers });
  await sleep(LOOK_MS);
  return cpuBetween(before, readCpu({ node: [], servers })).othersShare;
}

export interface QuietWaiter {
  /** Waits while others are busy and there is time left; the share of others in the end. */
  wait(): Promise<number>;
}

/** The time is for all waits together. */
export function createQuietWaiter(
  servers: ServerPids,
  { minutes, log }: { readonly minutes: number; readonly log: Log },
): QuietWaiter {
  let leftMs = minutes * MINUTE_MS;
  return {
    wait: async () => {
      const startedMs = performance.now();
      let share = await measureOthers(servers);
      if (share >= OTHERS_SHARE_MAX && leftMs > 0) log(`• waiting: ${describeShare(share)}`);
      while (share >= OTHERS_SHARE_MAX && performance.now() - startedMs < leftMs) {
        share = await measureOthers(servers);
      }
      leftMs -= performance.now() - startedMs;
      if (share >= OTHERS_SHARE_MAX) {
        log(`! The machine is busy (${describeShare(share)}): the ratios may mean something,`);
        log('  the rates do not.');
      }
      return share;
    },
  };
}

function describeShare(share: number): string {
  return `others use ${(share * 100).toFixed(0)} % of its CPU`;
}
