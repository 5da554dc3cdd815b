import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export const LOCAL_HOST = '127.0.0.1';

/**
 * Below the range from which Linux and macOS take the ports of outgoing connections. A server that is
 * killed and started again on its port would otherwise find it now and then in use by some client.
 */
const FREE_PORT_MIN = 20_000;
const FREE_PORT_MAX = 32_000;
const PICKS_MAX = 100;
const CONNECT_TIMEOUT_MS = 1_000;
const POLL_EVERY_MS = 25;

async function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen({ port, host: LOCAL_HOST, exclusive: true }, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}

/** The first of the preferred ports that is free and not excluded, else any free one. */
export async function pickPort(
  preferred: readonly number[],
  exclude: ReadonlySet<number> = new Set(),
): Promise<number> {
  for (const port of preferred) {
    if (!exclude.has(port) && (await isPortFree(port))) return port;
  }
  for (let pick = 0; pick < PICKS_MAX; pick += 1) {
    const port = randomInt(FREE_PORT_MIN, FREE_PORT_MAX);
    if (!exclude.has(port) && (await isPortFree(port))) return port;
  }
  throw new Error(`no free port between ${String(FREE_PORT_MIN)} and ${String(FREE_PORT_MAX)}`);
}

export async function isPortAnswering(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: LOCAL_HOST, timeout: CONNECT_TIMEOUT_MS });
    const finish = (isAnswering: boolean): void => {
      socket.destroy();
      resolve(isAnswering);
    };
    socket.once('connect', () => {
      finish(true);
    });
    socket.once('timeout', () => {
      finish(false);
    });
    socket.once('error', () => {
      finish(false);
    });
  });
}

/** Polls until the condition holds; `false` when the time is over or the wait was aborted. */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal; readonly everyMs?: number },
): Promise<boolean> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    if (options.signal?.aborted === true) return false;
    if (await condition()) return true;
    if (performance.now() >= deadline) return false;
    await sleep(options.everyMs ?? POLL_EVERY_MS);
  }
}
