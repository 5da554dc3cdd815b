// Runs before anything is installed, so: plain JavaScript, no packages, and no syntax so new that a
// Node of some years ago would trip over it before it could be told that it is too old.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const NODE_MIN = { major: 20, minor: 19 };
const INSTALL_TIMEOUT_MS = 600000;

/** What to tell a person whose Node is too old, or nothing. */
export function describeNodeProblem(version) {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number);
  if (major > NODE_MIN.major || (major === NODE_MIN.major && minor >= NODE_MIN.minor)) return '';
  return (
    `Sluice needs Node ${NODE_MIN.major}.${NODE_MIN.minor} or newer, and this is ${version}: ` +
    'install one from nodejs.org or by your version manager (`nvm install 20`), then try again.'
  );
}

function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/**
 * Whether node_modules is what package-lock.json says. npm leaves a list of what it installed in there;
 * comparing that is exact where file times are not: a checkout or a copy changes those at will.
 */
export function areDependenciesInstalled(root) {
  const wanted = readPackages(join(root, 'package-lock.json'));
  if (wanted === undefined) return existsSync(join(root, 'node_modules'));
  const installed = readPackages(join(root, 'node_modules', '.package-lock.json'));
  if (installed === undefined) return false;
  return Object.entries(wanted).every(([path, { version, integrity, optional, devOptional }]) => {
    if (path === '') return true;
    const found = installed[path];
    // What is optional may be for another system.
    if (found === undefined) return optional === true || devOptional === true;
    return found.version === version && found.integrity === integrity;
  });
}

function installDependencies() {
  const startedAt = Date.now();
  process.stderr.write('• npm dependencies: installing …\n');
  // Without the development dependencies there is no tsx and no vitest, whatever NODE_ENV says.
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = process.env.npm_execpath;
  const [command, prefix] = npm ? [process.execPath, [npm]] : ['npm', []];
  const { status, signal, error } = spawnSync(command, [...prefix, ...args], {
    cwd: ROOT,
    stdio: ['ignore', process.stderr, process.stderr],
    timeout: INSTALL_TIMEOUT_MS,
  });
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  if (status === 0) {
    process.stderr.write(`• npm dependencies: installed … ${seconds} s\n`);
    return true;
  }
  const reason = error ? error.message : `it ended with ${signal || status}`;
  process.stderr.write(
    `npm ci failed after ${seconds} s (${reason}): see its message above, then run it by itself.\n`,
  );
  return false;
}

/** Brings the clone into a state that can run, then runs a TypeScript file of it in this process. */
export async function runScript(file) {
  const problem = describeNodeProblem(process.version);
  if (problem) {
    process.stderr.write(`${problem}\n`);
    process.exit(1);
  }
  process.chdir(ROOT);
  if (!areDependenciesInstalled(ROOT) && !installDependencies()) process.exit(1);
  const path = join(ROOT, file);
  process.argv[1] = path;
  // In this process and not in a child: one less to pass signals to, and to be left behind.
  await import('tsx');
  await import(pathToFileURL(path).href);
}
