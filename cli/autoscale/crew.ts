import { type ChildProcess, spawn } from 'node:child_process';

/** Worker processes on this machine. */
export interface Crew {
  /** Those that run and are not being stopped. */
  readonly size: number;
  readonly pids: readonly number[];
  /** Starts or stops workers until there are that many; stopping goes on in the background. */
  resize(count: number): void;
  /** Stops all and waits for them. */
  dismiss(): Promise<void>;
}

interface CrewOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
  /** A worker drains within this time; what is left then is killed. */
  readonly stopMs: number;
}

export function createCrew({ command, args, env, say, stopMs }: CrewOptions): Crew {
  const working = new Set<ChildProcess>();
  const leaving = new Map<ChildProcess, Promise<void>>();

  const hire = (): void => {
    // In a group of its own: Ctrl-C is for us, and a worker takes a second signal for impatience.
    const child = spawn(command, args, {
      env,
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    working.add(child);
    child.once('error', (error) => {
      working.delete(child);
      say(`a worker could not be started: ${error.message}`);
    });
    child.once('exit', (code, signal) => {
      if (!working.delete(child)) return;
      say(`worker ${String(child.pid)} ended by ${signal ?? `exit code ${String(code)}`}`);
    });
  };
  const release = (child: ChildProcess): void => {
    working.delete(child);
    const gone = new Promise<void>((settle) => {
      const timer = setTimeout(() => child.kill('SIGKILL'), stopMs);
      child.once('exit', () => {
        clearTimeout(timer);
        leaving.delete(child);
        settle();
      });
    });
    leaving.set(child, gone);
    child.kill('SIGTERM');
  };
  return {
    get size() {
      return working.size;
    },
    get pids() {
      return [...working].flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
    },
    resize: (count) => {
      for (let missing = count - working.size; missing > 0; missing -= 1) hire();
      const newestFirst = [...working].reverse();
      for (const child of newestFirst.slice(0, Math.max(0, working.size - count))) release(child);
    },
    dismiss: async () => {
      for (const child of [...working]) release(child);
      await Promise.all(leaving.values());
    },
  };
}
