import { setTimeout as sleep } from 'node:timers/promises';
import { findOnPath, lastLines, runCommand, type CommandResult } from './commands.ts';

const UPDATE_TIMEOUT_MS = 120_000;
const INSTALL_TIMEOUT_MS = 600_000;
/** A fresh machine often runs its own updates first and holds apt's locks meanwhile. */
const LOCK_TRIES_MAX = 30;
const LOCK_RETRY_AFTER_MS = 2_000;
const OPTIONS = [
  '-o',
  'DPkg::Lock::Timeout=120',
  '-o',
  'Acquire::Retries=2',
  '-o',
  'Acquire::http::Timeout=20',
] as const;

export function canUseApt(env: NodeJS.ProcessEnv): boolean {
  return process.getuid?.() === 0 && findOnPath('apt-get', env) !== undefined;
}

/**
 * Installs Debian packages without what they merely recommend and without asking anything. Meant for
 * packages that bring no service: it keeps no service from being started.
 */
export async function installPackages(
  packages: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  await runApt(['update'], UPDATE_TIMEOUT_MS, env);
  const install = ['install', '-y', '--no-install-recommends', ...packages];
  await runApt(install, INSTALL_TIMEOUT_MS, env);
}

async function runApt(
  args: readonly string[],
  timeoutMs: number,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const result = await runCommand('apt-get', [...OPTIONS, ...args], {
      timeoutMs,
      env: { ...env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' },
    });
    if (result.code === 0) return;
    if (attempt >= LOCK_TRIES_MAX || !isLocked(result)) {
      const said = lastLines(`${result.stdout}\n${result.stderr}`, 4);
      throw new Error(`apt-get ${args.join(' ')} failed: ${said}`);
    }
    await sleep(LOCK_RETRY_AFTER_MS);
  }
}

/** The lock's own wait covers installing, not `apt-get update`. */
function isLocked(result: CommandResult): boolean {
  return /could not get lock|unable to lock/i.test(result.stderr);
}
