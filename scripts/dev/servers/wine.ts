import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findOnPath, isExecutableFile, runCommand } from './commands.ts';

export type WineTools = { readonly wine: string; readonly wineserver: string };

const DEBIAN_WINE = '/usr/lib/wine/wine64';
const DEBIAN_WINESERVER = '/usr/lib/wine/wineserver64';
const DEBIAN_DLLS = '/usr/lib/x86_64-linux-gnu/wine/x86_64-windows';
const STOP_TIMEOUT_MS = 10_000;
/** Debian's wineserver keeps its socket in a folder of such a name, and never removes that. */
const SOCKET_FOLDER = /^wine-[A-Za-z0-9]{6}$/;

/** Debian's package wine64 alone puts nothing on the PATH, and is enough. */
export function findWine(env: NodeJS.ProcessEnv): WineTools | undefined {
  const pick = (path: string, ...names: string[]): string | undefined =>
    isExecutableFile(path)
      ? path
      : names.map((name) => findOnPath(name, env)).find((found) => found !== undefined);
  const wine = pick(DEBIAN_WINE, 'wine64', 'wine');
  const wineserver = pick(DEBIAN_WINESERVER, 'wineserver64', 'wineserver');
  return wine === undefined || wineserver === undefined ? undefined : { wine, wineserver };
}

/**
 * Lays a wine prefix by hand. Left to itself wine copies 690 MB into each and takes six seconds for it;
 * a program without windows or services needs only the drives and the libraries. `disable` keeps wine
 * from filling it up later. A prefix for each server gives each a wineserver of its own, so that none
 * waits for another's and stopping one cannot hit another.
 */
export function createWinePrefix(prefix: string): void {
  if (!existsSync(DEBIAN_DLLS)) {
    mkdirSync(prefix, { recursive: true });
    return;
  }
  if (existsSync(join(prefix, '.update-timestamp'))) return;
  rmSync(prefix, { recursive: true, force: true });
  const windows = join(prefix, 'drive_c', 'windows');
  const drives = join(prefix, 'dosdevices');
  mkdirSync(windows, { recursive: true });
  mkdirSync(drives, { recursive: true });
  symlinkSync(DEBIAN_DLLS, join(windows, 'system32'));
  symlinkSync('../drive_c', join(drives, 'c:'));
  symlinkSync('/', join(drives, 'z:'));
  writeFileSync(join(prefix, '.update-timestamp'), 'disable\n');
}

export function wineEnvironment(prefix: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    ...env,
    // Paths outside ASCII are lost in the locale C.
    LC_ALL: 'C.UTF-8',
    // It has no windows to show.
    DISPLAY: '',
    WINEPREFIX: prefix,
    WINEDEBUG: '-all',
    // Keeps mongod from loading the symbols of all its libraries at start, for stack traces that nobody
    // reads: 2 s and 180 MB for each server.
    DBGHELP_NOLIVE: '1',
  };
}

/** An absolute path of this system as a program under wine names it. */
export function toWinePath(path: string): string {
  return `Z:${path.replaceAll('/', '\\')}`;
}

/**
 * Ends the prefix's wineserver and helpers, which live in sessions of their own and would go only some
 * seconds after the last program.
 */
export async function stopWineserver(tools: WineTools, prefix: string): Promise<void> {
  if (!existsSync(prefix)) return;
  const options = { timeoutMs: STOP_TIMEOUT_MS, env: { ...process.env, WINEPREFIX: prefix } };
  // It exits with 1 when there was nothing to stop.
  await runCommand(tools.wineserver, ['-k'], options).catch(() => undefined);
  await runCommand(tools.wineserver, ['-w'], options).catch(() => undefined);
}

/** Removes a prefix that is not used any more, and what its wineserver left in the temporary folder. */
export function removeWinePrefix(prefix: string): void {
  const note = join(prefix, 'wineserver');
  const name = existsSync(note) ? readFileSync(note, 'utf8').trim() : '';
  if (SOCKET_FOLDER.test(name)) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  rmSync(prefix, { recursive: true, force: true });
}
