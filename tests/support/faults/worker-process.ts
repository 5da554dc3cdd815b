import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

export interface WorkerProcess {
  readonly child: ChildProcess;
  /** Resolves with the signal or code that ended it. */
  readonly ended: Promise<NodeJS.Signals | number>;
  kill(signal: NodeJS.Signals): void;
}

/** A real worker process with the given environment; resolves once it consumes. */
export async function startWorkerProcess(
  env: Readonly<Record<string, string>>,
  fixture: 'saga-worker' | 'notify-worker' = 'saga-worker',
): Promise<WorkerProcess> {
  const script = fixturePath(`${fixture}.ts`);
  const isSkewed = env['FAULTS_SKEW_MS'] !== undefined;
  const imports = ['tsx', ...(isSkewed ? [fixturePath('skewed-clock.ts')] : [])];
  const options = imports.flatMap((name) => ['--import', name]);
  const child = spawn(process.execPath, [...options, script], {
    env: { ...process.env, LOG_LEVEL: 'warn', ...env },
    stdio: ['ignore', 'pipe', process.env['DEBUG_WORKERS'] === undefined ? 'ignore' : 'inherit'],
  });
  const ended = once(child, 'exit').then(
    ([code, signal]: (number | NodeJS.Signals | null)[]) => signal ?? code ?? 0,
  );
  const lines = createInterface({ input: child.stdout });
  const ready = new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      if (line === 'ready') resolve();
      else if (process.env['DEBUG_WORKERS'] !== undefined) console.log(line);
    });
  });
  await Promise.race([
    ready,
    ended.then((how) => {
      throw new Error(`the worker ended before it was ready: ${String(how)}`);
    }),
  ]);
  return { child, ended, kill: (signal) => child.kill(signal) };
}

function fixturePath(name: string): string {
  return new URL(`../../faults/fixtures/${name}`, import.meta.url).pathname;
}

/** Waits for a condition, with a deadline that names what was waited for. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  deadlineMs = 45_000,
): Promise<T> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > endMs) throw new Error(`waited ${String(deadlineMs)} ms for ${what}`);
    await sleep(50);
  }
}
