import { NODE_FLAGS } from '../../../config/node-flags.ts';
import { existsSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { lastLines } from '../servers/commands.ts';
import { waitUntil } from '../servers/ports.ts';
import {
  type RestartPolicy,
  type SupervisedProcess,
  spawnSupervised,
} from '../servers/processes.ts';
import type { Log } from '../servers/report.ts';
import type { Watchdog } from '../servers/watchdog.ts';

/** A process of the platform, with its own log file. */
export interface Child {
  readonly name: string;
  readonly url: string;
  readonly process: SupervisedProcess;
  readonly logFile: string;
}

export interface ChildSpec {
  readonly name: string;
  /** Relative to the root. */
  readonly script: string;
  readonly args?: readonly string[];
  /** Where it answers /readyz. */
  readonly url: string;
  readonly env: NodeJS.ProcessEnv;
  /** By default one that dies again and again is given up. */
  readonly restart?: RestartPolicy;
}

export interface ChildContext {
  readonly root: string;
  readonly logFolder: string;
  readonly log: Log;
  readonly watchdog: Watchdog;
  /** At every start, the first included. */
  readonly onStart: (name: string, pid: number) => void;
  /** It died so often that it was given up. */
  readonly onGiveUp: (name: string) => void;
}

const READY_TIMEOUT_MS = 60_000;
const READY_EVERY_MS = 150;
/** Whatever is wrong with a process that dies before it has ever been ready, waiting mends it not. */
const RESTARTS_AT_START_MAX = 3;
/** Its own drain takes up to 25 s; what is left is killed. */
const STOP_DEADLINE_MS = 30_000;
const LOG_BYTES_MAX = 20_000_000;
const LINES_SHOWN = 12;

/** Started again whenever it dies; its restarts are said on the terminal. */
export function startChild(spec: ChildSpec, context: ChildContext): Child {
  const { name, script, url, env, args = [], restart = true } = spec;
  const logFile = join(context.logFolder, `${name}.log`);
  turnOverLog(logFile);
  const process_ = spawnSupervised({
    name,
    command: process.execPath,
    args: [
      ...NODE_FLAGS,
      '--import',
      import.meta.resolve('tsx'),
      join(context.root, script),
      ...args,
    ],
    cwd: context.root,
    env,
    log: context.log,
    output: { file: logFile },
    restart,
    watchdog: context.watchdog,
    onStart: (pid) => {
      context.onStart(name, pid);
    },
    onGiveUp: () => {
      context.onGiveUp(name);
    },
  });
  return { name, url, process: process_, logFile };
}

/** @throws Error with the end of its log when it is not ready in time. */
export async function waitUntilReady(child: Child, signal: AbortSignal): Promise<void> {
  let isReady = false;
  const isDecided = async (): Promise<boolean> => {
    isReady = await answersReady(child.url);
    return isReady || child.process.restarts >= RESTARTS_AT_START_MAX;
  };
  await waitUntil(isDecided, { timeoutMs: READY_TIMEOUT_MS, everyMs: READY_EVERY_MS, signal });
  signal.throwIfAborted();
  if (isReady) return;
  const log = existsSync(child.logFile) ? readFileSync(child.logFile, 'utf8') : '';
  const end = lastLines(log, LINES_SHOWN);
  throw new Error(`${child.name} does not become ready. ${child.logFile} ends with:\n${end}`);
}

export async function stopChild(child: Child): Promise<void> {
  await child.process.stop('SIGTERM', STOP_DEADLINE_MS);
}

async function answersReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

/** Keeps one earlier log, so that a checkout that is used for months stays small. */
function turnOverLog(file: string): void {
  if (!existsSync(file) || statSync(file).size < LOG_BYTES_MAX) return;
  rmSync(`${file}.1`, { force: true });
  renameSync(file, `${file}.1`);
}
