import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { signalGroup } from './process-identity.ts';
import type { Log } from './report.ts';
import { createWatchdog, type Watchdog } from './watchdog.ts';

/** `prefixed`: line by line through the log, with the process's name in front. */
export type ProcessOutput = 'prefixed' | 'inherit' | 'ignore' | { readonly file: string };

export type RestartPolicy = {
  readonly firstDelayMs: number;
  readonly delayMsMax: number;
  /** More restarts than this within the window, and the process is given up. */
  readonly restartsMax: number;
  readonly windowMs: number;
};

export type ProcessExit = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
};

export type ProcessSpec = {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the process; without it, ours. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly log: Log;
  readonly output?: ProcessOutput;
  /** Start again whenever it ends without `stop`, whatever its exit code. */
  readonly restart?: boolean | RestartPolicy;
  /** Share one between several processes; without it this process has its own. */
  readonly watchdog?: Watchdog;
  /** Called at every start, the first included. */
  readonly onStart?: (pid: number) => void;
  /** Called at every end, wanted or not. */
  readonly onExit?: (exit: ProcessExit, isWanted: boolean) => void;
  /** Called once when it ended too often to be started again. */
  readonly onGiveUp?: (exit: ProcessExit) => void;
};

export type SupervisedProcess = {
  readonly name: string;
  /** Undefined while it does not run. */
  readonly pid: number | undefined;
  /** How often it was started again. */
  readonly restarts: number;
  isRunning(): boolean;
  /** Starts it again after `stop`, `kill` or a crash; a running process stays as it is. */
  start(): void;
  /** Signals the whole process group, for faults: supervision sees it as a crash. */
  kill(signal: NodeJS.Signals): boolean;
  /** Its next end is wanted, by whatever means it comes. */
  expectEnd(): void;
  /** Ends it for good: the signal, then SIGKILL after the deadline. */
  stop(signal?: NodeJS.Signals, deadlineMs?: number): Promise<void>;
  /** Resolves at the end of the current run, or with undefined when that takes longer. */
  waitForExit(timeoutMs: number): Promise<ProcessExit | undefined>;
};

const DEFAULT_POLICY: RestartPolicy = {
  firstDelayMs: 250,
  delayMsMax: 5_000,
  restartsMax: 10,
  windowMs: 60_000,
};
const STOP_DEADLINE_MS = 10_000;
/** SIGKILL cannot be refused; only a process stuck in the kernel takes longer. */
const KILL_DEADLINE_MS = 5_000;

type Run = {
  readonly child: ChildProcess;
  readonly exited: Promise<ProcessExit>;
  isOver: boolean;
};

export function describeExit(exit: ProcessExit): string {
  return exit.signal === null ? `exit code ${String(exit.code)}` : `signal ${exit.signal}`;
}

/**
 * Starts a process in a group of its own and looks after it. It dies with us in every case: by `stop`,
 * or by the watchdog.
 */
export function spawnSupervised(spec: ProcessSpec): SupervisedProcess {
  const watchdog = spec.watchdog ?? createWatchdog();
  const backoff = createBackoff(spec.restart ?? false);
  let run: Run | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isWanted = true;
  let restarts = 0;
  const current = (): Run | undefined => (run?.isOver === false ? run : undefined);

  const start = (): void => {
    clearTimeout(timer);
    isWanted = true;
    if (current() === undefined) run = launch(spec, watchdog, onEnd);
  };
  const restart = (): void => {
    restarts += 1;
    start();
  };
  const onEnd = (exit: ProcessExit): void => {
    spec.onExit?.(exit, !isWanted);
    if (!isWanted || backoff === undefined) return;
    const delayMs = backoff();
    if (delayMs === undefined) {
      spec.log(`${spec.name}: ended too often, last by ${describeExit(exit)}; not started again`);
      spec.onGiveUp?.(exit);
      return;
    }
    spec.log(`${spec.name}: ended by ${describeExit(exit)}, starts again in ${String(delayMs)} ms`);
    timer = setTimeout(restart, delayMs);
  };

  const expectEnd = (): void => {
    isWanted = false;
    clearTimeout(timer);
  };

  start();
  return Object.freeze({
    name: spec.name,
    get pid() {
      return current()?.child.pid;
    },
    get restarts() {
      return restarts;
    },
    isRunning: () => current() !== undefined,
    start,
    kill: (signal: NodeJS.Signals) => {
      const pid = current()?.child.pid;
      return pid === undefined ? false : signalGroup(pid, signal);
    },
    expectEnd,
    stop: async (signal: NodeJS.Signals = 'SIGTERM', deadlineMs = STOP_DEADLINE_MS) => {
      expectEnd();
      const running = current();
      if (running !== undefined) await endRun(running, signal, deadlineMs);
    },
    waitForExit: (timeoutMs: number) => exitWithin(run, timeoutMs),
  });
}

function launch(spec: ProcessSpec, watchdog: Watchdog, onEnd: (exit: ProcessExit) => void): Run {
  const { stdio, close } = openOutput(spec.output ?? 'prefixed');
  const { command, args, cwd, env } = spec;
  const child = spawn(command, args, { cwd, env, detached: true, stdio });
  close();
  const { pid } = child;
  if (pid !== undefined) {
    watchdog.guard(pid);
    spec.onStart?.(pid);
  }
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) logLines(stream, spec);
  }
  const { promise: exited, resolve } = createDeferred<ProcessExit>();
  const run: Run = { child, exited, isOver: false };
  const end = (exit: ProcessExit): void => {
    run.isOver = true;
    if (pid !== undefined) {
      // Helpers that it left behind must not outlive it, nor meet its successor.
      signalGroup(pid, 'SIGKILL');
      watchdog.release(pid);
    }
    resolve(exit);
    onEnd(exit);
  };
  child.once('exit', (code, signal) => {
    end({ code, signal });
  });
  child.once('error', (error) => {
    // Also emitted for a failed kill of a process that runs; only without a pid did it never start.
    if (pid !== undefined) return;
    spec.log(`${spec.name}: could not be started: ${error.message}`);
    end({ code: 127, signal: null });
  });
  return run;
}

function createDeferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolvePromise) => {
    resolve = resolvePromise;
  });
  return { promise, resolve };
}

function openOutput(output: ProcessOutput): { stdio: StdioOptions; close: () => void } {
  if (output === 'inherit') {
    return { stdio: ['ignore', 'inherit', 'inherit'], close: () => undefined };
  }
  if (output === 'ignore') return { stdio: 'ignore', close: () => undefined };
  if (output === 'prefixed') return { stdio: ['ignore', 'pipe', 'pipe'], close: () => undefined };
  mkdirSync(dirname(output.file), { recursive: true });
  const descriptor = openSync(output.file, 'a');
  return {
    stdio: ['ignore', descriptor, descriptor],
    close: () => {
      closeSync(descriptor);
    },
  };
}

function logLines(stream: Readable, spec: ProcessSpec): void {
  createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => {
    spec.log(`${spec.name} | ${line}`);
  });
}

async function exitWithin(
  run: Run | undefined,
  timeoutMs: number,
): Promise<ProcessExit | undefined> {
  if (run === undefined) return undefined;
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, undefined);
  });
  try {
    return await Promise.race([run.exited, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

async function endRun(run: Run, signal: NodeJS.Signals, deadlineMs: number): Promise<void> {
  const { pid } = run.child;
  if (pid === undefined) return;
  signalGroup(pid, signal);
  // A stopped process would keep the signal for later.
  signalGroup(pid, 'SIGCONT');
  if ((await exitWithin(run, deadlineMs)) !== undefined) return;
  signalGroup(pid, 'SIGKILL');
  if ((await exitWithin(run, KILL_DEADLINE_MS)) === undefined) {
    throw new Error(`process ${String(pid)} survives SIGKILL`);
  }
}

/** Doubles the delay from one crash to the next; a quiet window makes it forget. */
function createBackoff(restart: boolean | RestartPolicy): (() => number | undefined) | undefined {
  if (restart === false) return undefined;
  const policy = restart === true ? DEFAULT_POLICY : restart;
  let endedAt: number[] = [];
  return () => {
    const now = performance.now();
    endedAt = endedAt.filter((at) => now - at < policy.windowMs);
    if (endedAt.length >= policy.restartsMax) return undefined;
    const delayMs = Math.min(policy.delayMsMax, policy.firstDelayMs * 2 ** endedAt.length);
    endedAt.push(now);
    return delayMs;
  };
}
