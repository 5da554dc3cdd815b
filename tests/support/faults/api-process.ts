import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { pickPort } from '../../../scripts/dev/servers/ports.ts';
import { ROOT } from '../tidy/tree.ts';
import { until } from './worker-process.ts';

const KEY = 'slk_admin_0123456789abcdefghij';

export interface Reply {
  readonly status: number;
  readonly isReplay: boolean;
  readonly operationId: string;
  readonly tookMs: number;
}

/** A real API process. */
export interface ApiProcess {
  readonly url: string;
  readonly ended: Promise<NodeJS.Signals | number>;
  kill(signal: NodeJS.Signals): void;
  /** Sends an operation under a key, by its own port or another; rejects when no answer comes. */
  send(key: string, body: unknown, through?: number): Promise<Reply>;
  /** Asks for a page, with the key. */
  get(path: string): Promise<Response>;
}

/** Resolves once it listens; killed when the test ends. */
export async function startApiProcess(env: Readonly<Record<string, string>>): Promise<ApiProcess> {
  const port = await pickPort([]);
  const url = `http://127.0.0.1:${String(port)}`;
  const child = spawn(process.execPath, ['--import', 'tsx', 'api/main.ts'], {
    cwd: ROOT,
    env: {
      ...process.env,
      LOG_LEVEL: 'warn',
      ...env,
      PORT: String(port),
      BOOTSTRAP_API_KEY: KEY,
      ADMIN_PASSWORD: 'correct horse battery',
    },
    stdio: process.env['DEBUG_WORKERS'] === undefined ? 'ignore' : 'inherit',
  });
  const ended = once(child, 'exit').then(
    ([code, signal]: (number | NodeJS.Signals | null)[]) => signal ?? code ?? 0,
  );
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  await until('the API to listen', async () => {
    const health = await fetch(`${url}/healthz`).catch(() => undefined);
    return health?.ok === true ? true : undefined;
  });
  const authorization = `Bearer ${KEY}`;
  return {
    url,
    ended,
    kill: (signal) => child.kill(signal),
    get: (path) => fetch(`${url}${path}`, { headers: { authorization } }),
    send: async (key, body, through = port) => {
      const startedMs = performance.now();
      const response = await fetch(`http://127.0.0.1:${String(through)}/v1/operations`, {
        method: 'POST',
        headers: { authorization, 'idempotency-key': key, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      const answer = (await response.json()) as { readonly id?: string };
      return {
        status: response.status,
        isReplay: response.headers.get('idempotent-replayed') === 'true',
        operationId: answer.id ?? '',
        tookMs: performance.now() - startedMs,
      };
    },
  };
}
