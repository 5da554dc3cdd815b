import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { pickPort } from '../../scripts/dev/servers/ports.ts';
import { resolveRedisBinary } from '../../scripts/dev/servers/redis.ts';

/** A Redis of a test's own, to be stopped, started again and configured badly. */
export interface OwnRedis {
  readonly url: string;
  readonly client: Redis;
  /** Kills it. Starting it again finds an empty one on the same port. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export async function startOwnRedis(): Promise<OwnRedis> {
  // Also where the local servers installed one outside of the PATH.
  const binary = await resolveRedisBinary(process.env, () => undefined);
  const port = await pickPort([]);
  const client = new Redis({ port, lazyConnect: true, retryStrategy: () => 50 });
  client.on('error', () => undefined); // while it is stopped
  let server: ReturnType<typeof spawn> | undefined;
  const start = async (): Promise<void> => {
    const options = ['--port', String(port), '--save', '', '--maxmemory-policy', 'noeviction'];
    server = spawn(binary, options, { stdio: 'ignore' });
    for (let tries = 0; tries < 200 && (await answers(client)) !== 'PONG'; tries += 1) {
      await pause(25);
    }
  };
  const stop = async (): Promise<void> => {
    const running = server;
    server = undefined;
    if (running === undefined) return;
    running.kill('SIGKILL');
    await once(running, 'exit');
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    client,
    start,
    stop,
    close: async () => {
      client.disconnect();
      await stop();
    },
  };
}

async function answers(client: Redis): Promise<string | undefined> {
  if (client.status === 'wait') await client.connect().catch(() => undefined);
  return client.status === 'ready' ? client.ping().catch(() => undefined) : undefined;
}
