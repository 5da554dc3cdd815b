import { readFileSync, readdirSync } from 'node:fs';
import type { Cluster } from '../cluster/cluster.ts';

export interface ProcessSize {
  readonly name: string;
  readonly pid: number;
  readonly rssMb: number;
  readonly files: number;
}

/** What the processes of the platform take now; where there is no /proc, nothing is known. */
export function sizesOf({ apis, workers }: Cluster): readonly ProcessSize[] {
  return [...apis, ...workers].flatMap((child): ProcessSize[] => {
    const pid = child.pid();
    if (pid === undefined) return [];
    try {
      const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
      const rssKb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? '0');
      const files = readdirSync(`/proc/${String(pid)}/fd`).length;
      return [{ name: child.name, pid, rssMb: Math.round(rssKb / 1_024), files }];
    } catch {
      return [];
    }
  });
}
