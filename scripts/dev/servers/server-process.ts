import { existsSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { lastLines } from './commands.ts';
import { claimDataFolder, removePidFile, writePidFile } from './pid-file.ts';
import { isPortAnswering, waitUntil } from './ports.ts';
import { describeExit, spawnSupervised, type SupervisedProcess } from './processes.ts';
import { formatSeconds, type Log } from './report.ts';
import type { Watchdog } from './watchdog.ts';

/** A database server on this machine, with the handles that fault tests need. */
export type LocalServer = {
  readonly port: number;
  /** Undefined while it does not run. */
  readonly pid: number | undefined;
  isRunning(): boolean;
  /** Signals the server's process group: SIGKILL for a crash, SIGSTOP and SIGCONT for a hang. */
  kill(signal: NodeJS.Signals): boolean;
  /** Starts it again on the same data and port, after stopping it in good order if it still runs. */
  restart(): Promise<void>;
  stop(): Promise<void>;
};

export type ServerSpec = {
  readonly name: string;
  /** Holds the pid file and the log; the server's own files lie in there too. */
  readonly folder: string;
  readonly port: number;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly watchdog: Watchdog;
  readonly restartOnCrash: boolean;
  /** Throws, or resolves false, as long as the server does not serve yet. */
  readonly isReady: () => Promise<boolean>;
  /** Asks for an orderly end; the process is then given time, and killed when it does not go. */
  readonly askToStop: (server: SupervisedProcess) => Promise<void>;
};

/** Recovering a journal after kill -9 on a busy machine takes a while. */
const READY_TIMEOUT_MS = 90_000;
const STOP_DEADLINE_MS = 15_000;
const PID_FILE = 'server.json';
const LOG_FILE = 'server.log';
const LOG_BYTES_MAX = 20_000_000;
const LOG_LINES_SHOWN = 8;

/** Stops what an earlier crash left running on the folder; worth doing before choosing a port. */
export async function claimServerFolder(folder: string, name: string, log: Log): Promise<void> {
  await claimDataFolder(join(folder, PID_FILE), name, log);
}

export async function startServer(spec: ServerSpec): Promise<LocalServer> {
  mkdirSync(spec.folder, { recursive: true });
  const pidFile = join(spec.folder, PID_FILE);
  const logFile = join(spec.folder, LOG_FILE);
  await claimServerFolder(spec.folder, spec.name, spec.log);
  turnOverLog(logFile);
  const server = spawnSupervised({
    ...spec,
    cwd: spec.folder,
    output: { file: logFile },
    restart: spec.restartOnCrash,
    onStart: (pid) => {
      writePidFile(pidFile, pid);
    },
  });
  let killedPid: number | undefined;
  const stop = async (): Promise<void> => {
    server.expectEnd();
    // A process that was killed a moment ago still counts as running, but has nobody to ask any more.
    if (server.isRunning() && server.pid !== killedPid) {
      server.kill('SIGCONT');
      await spec.askToStop(server).catch(() => undefined);
    }
    await server.stop('SIGTERM', STOP_DEADLINE_MS);
    removePidFile(pidFile);
  };
  const becomeReady = async (): Promise<void> => {
    try {
      await waitUntilReady(spec, server, logFile);
    } catch (error) {
      await server.stop('SIGKILL');
      removePidFile(pidFile);
      throw error;
    }
  };
  await becomeReady();
  return Object.freeze({
    port: spec.port,
    get pid() {
      return server.pid;
    },
    isRunning: () => server.isRunning(),
    kill: (signal: NodeJS.Signals) => {
      if (signal === 'SIGKILL') killedPid = server.pid;
      return server.kill(signal);
    },
    restart: async () => {
      await stop();
      server.start();
      await becomeReady();
    },
    stop,
  });
}

/** The same server with further fields; a plain spread would freeze its pid as it is now. */
export function extendServer<Extra extends object>(
  server: LocalServer,
  extra: Extra,
): LocalServer & Extra {
  return Object.freeze({
    port: server.port,
    get pid() {
      return server.pid;
    },
    isRunning: () => server.isRunning(),
    kill: (signal: NodeJS.Signals) => server.kill(signal),
    restart: () => server.restart(),
    stop: () => server.stop(),
    ...extra,
  });
}

/** Keeps one earlier log, so that a folder that is used for months stays small. */
function turnOverLog(logFile: string): void {
  if (existsSync(logFile) && statSync(logFile).size > LOG_BYTES_MAX) {
    renameSync(logFile, `${logFile}.1`);
  }
}

async function waitUntilReady(
  spec: ServerSpec,
  server: SupervisedProcess,
  logFile: string,
): Promise<void> {
  const startedAt = performance.now();
  let isReady = false;
  const isSettled = async (): Promise<boolean> => {
    if (!server.isRunning()) return true;
    isReady = (await isPortAnswering(spec.port)) && (await spec.isReady().catch(() => false));
    return isReady;
  };
  await waitUntil(isSettled, { timeoutMs: READY_TIMEOUT_MS });
  if (isReady && server.isRunning()) return;
  const exit = await server.waitForExit(0);
  const end = exit === undefined ? 'does not answer' : `ended by ${describeExit(exit)}`;
  const after = formatSeconds(performance.now() - startedAt);
  throw new Error(
    `${spec.name} on port ${String(spec.port)} ${end} after ${after}. ` +
      `Its log, ${logFile}, ends with:\n` +
      lastLines(readFileSync(logFile, 'utf8'), LOG_LINES_SHOWN),
  );
}
