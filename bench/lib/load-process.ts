import { type ChildProcess, fork } from 'node:child_process';
import { z } from 'zod';
import { ROOT, builtFile } from './processes.ts';
import type { Reads } from './reads.ts';

const outcomeSchema = z.object({
  elapsedMs: z.number(),
  /** Answers by status. */
  statuses: z.record(z.string(), z.number()),
  p50Ms: z.number(),
  p99Ms: z.number(),
});

export type LoadOutcome = z.infer<typeof outcomeSchema>;

interface Target {
  readonly port: number;
  readonly connections: number;
  readonly apiKey: string;
}

export interface Requests {
  readonly count: number;
  readonly wallets: number;
  readonly seed: number;
  /** Prefix of the idempotency keys. */
  readonly label: string;
}

/** The process that offers requests (bench/load-generator.ts), as its parent sees it. */
export interface LoadProcess {
  readonly pid: number;
  /** Makes the requests, and sends none. */
  prepare(requests: Requests | Reads): Promise<void>;
  /** Sends them all. @throws when one is answered by anything but that, 202 when none is named. */
  offer(status?: number): Promise<LoadOutcome>;
  stop(): void;
}

const ACCEPTED = 202;

export async function startLoad(target: Target): Promise<LoadProcess> {
  const child = fork(builtFile('bench/load-generator.ts'), { cwd: ROOT, execArgv: [] });
  const { pid } = child;
  if (pid === undefined) throw new Error('The load generator did not start');
  await tell(child, target, 'open');
  return {
    pid,
    prepare: async (requests) => {
      await tell(child, requests, 'ready');
    },
    offer: async (status = ACCEPTED) => {
      const outcome = outcomeSchema.parse(await tell(child, 'go'));
      const statuses = Object.keys(outcome.statuses);
      if (statuses.length === 1 && statuses[0] === String(status)) return outcome;
      throw new Error(
        `Not every request was answered ${status}: ${JSON.stringify(outcome.statuses)}`,
      );
    },
    stop: () => void child.kill('SIGKILL'),
  };
}

/** Sends a message and waits for the reply, which has to be as expected. */
async function tell(
  child: ChildProcess,
  message: 'go' | Target | Requests | Reads,
  expected?: string,
): Promise<unknown> {
  const reply = await new Promise<unknown>((resolve, reject) => {
    const ended = (): void => {
      reject(new Error('The load generator ended'));
    };
    child.once('exit', ended);
    child.once('message', (value) => {
      child.off('exit', ended);
      resolve(value);
    });
    child.send(message);
  });
  if (expected === undefined || reply === expected) return reply;
  throw new Error(`The load generator said ${JSON.stringify(reply)}`);
}
