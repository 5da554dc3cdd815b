import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A pid alone is not enough to kill by: it may belong to somebody else by now. */
export type ProcessIdentity = { readonly pid: number; readonly startedAt: string };

const PS_TIMEOUT_MS = 5_000;
/** Positions behind the command in /proc/PID/stat, whose name may itself hold spaces and parentheses. */
const STAT_STATE = 0;
const STAT_START_TICKS = 19;

function readLinuxStat(pid: number): { state: string; startedAt: string } | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[STAT_STATE] ?? '', startedAt: fields[STAT_START_TICKS] ?? '' };
}

function readPsStat(pid: number): { state: string; startedAt: string } | undefined {
  const args = ['-o', 'stat=,lstart=', '-p', String(pid)];
  const { status, stdout } = spawnSync('ps', args, { encoding: 'utf8', timeout: PS_TIMEOUT_MS });
  const match = /^\s*(\S+)\s+(.+?)\s*$/.exec(status === 0 ? stdout : '');
  return match === null ? undefined : { state: match[1] ?? '', startedAt: match[2] ?? '' };
}

/**
 * Undefined when no such process runs. A zombie counts as gone: where the first process of a container
 * reaps late, `kill(pid, 0)` goes on succeeding for a process that died long ago.
 */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const stat = process.platform === 'linux' ? readLinuxStat(pid) : readPsStat(pid);
  if (stat === undefined || /^[ZX]/.test(stat.state)) return undefined;
  return { pid, startedAt: stat.startedAt };
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.startedAt === identity.startedAt;
}

/** Signals a whole process group; `false` when there is none left. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}
