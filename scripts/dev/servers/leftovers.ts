import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { identifyProcess } from './process-identity.ts';
import type { Log } from './report.ts';
import { claimServerFolder } from './server-process.ts';
import { removeWinePrefix } from './wine.ts';

/**
 * Clears away what earlier runs left behind: their reports, and of those that were killed the folders,
 * named by the run's pid, with servers still on them if even the watchdog was killed.
 */
export async function removeAbandoned(parent: string, log: Log): Promise<void> {
  for (const name of listFolder(parent)) {
    const pid = /^(\d+)(\.json)?$/.exec(name)?.[1];
    if (pid === undefined || identifyProcess(Number(pid)) !== undefined) continue;
    const folder = join(parent, name);
    if (name.endsWith('.json')) {
      rmSync(folder, { force: true });
      continue;
    }
    await claimServerFolder(join(folder, 'redis'), 'Redis', log);
    const members = listFolder(join(folder, 'mongo'));
    for (const member of members.filter((each) => each.startsWith('member-'))) {
      const memberFolder = join(folder, 'mongo', member);
      await claimServerFolder(memberFolder, 'MongoDB', log);
      removeWinePrefix(join(memberFolder, 'wine'));
    }
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

function listFolder(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
