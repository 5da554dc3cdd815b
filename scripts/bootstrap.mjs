// Runs before anything is installed, so: plain JavaScript, no packages, and no syntax so new that a
// Node of some years ago would trip over it before a newer one can go on.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { npmCommand, resolveNode } from './node-build.mjs';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const INSTALL_TIMEOUT_MS = 600000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const LOOK_FOR_LAUNCHER_EVERY_MS = 500;

const say = (line) => process.stderr.write(`${line}\n`);

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

function installDependencies(node, env) {
  const startedAt = Date.now();
  say('• npm dependencies: installing …');
  // Without the development dependencies there is no tsx and no vitest, whatever NODE_ENV says.
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const [command, prefix] = npmCommand(env, node);
  const { status, signal, error } = spawnSync(command, [...prefix, ...args], {
    cwd: ROOT,
    env,
    stdio: ['ignore', process.stderr, process.stderr],
    timeout: INSTALL_TIMEOUT_MS,
  });
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  if (status === 0) {
    say(`• npm dependencies: installed … ${seconds} s`);
    return true;
  }
  const reason = error ? error.message : `it ended with ${signal || status}`;
  say(
    `npm ci failed after ${seconds} s (${reason}): see its message above, then run it by itself.`,
  );
  return false;
}

/** What children are told, so that all of them, and npm with them, run on that Node. */
export function envFor(node, env) {
  if (node === process.execPath) return env;
  const path = [dirname(node), env.PATH].filter(Boolean).join(delimiter);
  return { ...env, PATH: path, NODE: node, npm_node_execpath: node };
}

/** Runs a command in place of this process: its input and output, its signals, its exit. */
function handOver(command, args, env) {
  const child = spawn(command, args, { env, stdio: 'inherit' });
  const passOn = (signal) => child.kill(signal);
  for (const signal of SIGNALS) process.on(signal, passOn);
  child.once('error', (error) => {
    say(`${command} cannot be started: ${error.message}`);
    process.exit(1);
  });
  child.once('exit', (code, signal) => {
    process.exit(signal === null ? code : 128 + constants.signals[signal]);
  });
  return new Promise(() => {}); // it ends with the process
}

/** The one who waits for us passes signals on; if it is killed, nobody would. */
function endWithLauncher() {
  const launcher = Number(process.env.SLUICE_LAUNCHER_PID);
  delete process.env.SLUICE_LAUNCHER_PID; // it is not the launcher of our children
  if (!launcher || process.ppid !== launcher) return;
  const timer = setInterval(() => {
    if (process.ppid === launcher) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, LOOK_FOR_LAUNCHER_EVERY_MS);
  timer.unref();
}

/** A Node that is new enough; without one, a sentence and the end. */
async function findNode(version) {
  try {
    return await resolveNode({ env: process.env, root: ROOT, say, version });
  } catch (error) {
    say(error.message);
    return process.exit(1);
  }
}

/** Comes back only in a Node that is new enough; in an older one a newer one runs this again. */
export async function ensureNode(version = process.version) {
  const node = await findNode(version);
  if (node === process.execPath) {
    endWithLauncher();
    return;
  }
  const env = { ...envFor(node, process.env), SLUICE_LAUNCHER_PID: String(process.pid) };
  await handOver(node, [...process.execArgv, ...process.argv.slice(1)], env);
}

/** The folder of the Node that commands have to find first on their PATH; empty: it is there already. */
export async function nodeFolder() {
  const node = await findNode(process.version);
  return node === process.execPath ? '' : dirname(node);
}

/** Brings the clone into a state that can run, by a Node that is new enough. */
export async function prepare() {
  await ensureNode();
  process.chdir(ROOT);
  if (!areDependenciesInstalled(ROOT) && !installDependencies(process.execPath, process.env)) {
    process.exit(1);
  }
}

/** Prepares, then runs a TypeScript file of the clone in this process. */
export async function runScript(file) {
  await prepare();
  const path = join(ROOT, file);
  process.argv[1] = path;
  // In this process and not in a child: one less to pass signals to, and to be left behind.
  await import('tsx');
  await import(pathToFileURL(path).href);
}

/** Prepares, then runs a command of a package, in a process of its own as npm would. */
export async function runTool(name, args) {
  await prepare();
  const link = join(ROOT, 'node_modules', '.bin', name);
  if (!existsSync(link)) {
    say(`No package that is installed has a command ${name}.`);
    process.exit(1);
  }
  await handOver(process.execPath, [realpathSync(link), ...args], process.env);
}
