import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import {
  REDIS_DEFAULT_PORT,
  resolveRedisBinary,
  startRedis,
} from '../../../scripts/dev/servers/redis.ts';
import { waitUntil } from '../../../scripts/dev/servers/ports.ts';
import { createCleanup, createMemoryLog, isRunning, occupyPort } from './support.ts';

const cleanup = createCleanup();
const log = createMemoryLog();

function connect(url: string): Redis {
  const client = new Redis(url, { maxRetriesPerRequest: 1, commandTimeout: 1_500 });
  client.on('error', () => undefined);
  cleanup.add(() => {
    client.disconnect();
  });
  return client;
}

async function start(dataDir: string): Promise<Awaited<ReturnType<typeof startRedis>>> {
  const server = await startRedis({ dataDir, log });
  cleanup.add(() => server.stop());
  return server;
}

describe('a local Redis', () => {
  afterEach(cleanup.run);

  it('keeps its data from one start to the next', async () => {
    const folder = cleanup.makeFolder();
    const first = await start(folder);
    await connect(first.url).set('kept', 'yes');
    await first.stop();
    expect(first.pid).toBeUndefined();
    const second = await start(folder);
    expect(await connect(second.url).get('kept')).toBe('yes');
  });

  it('keeps what it acknowledged when it is killed', async () => {
    const server = await start(cleanup.makeFolder());
    const { pid } = server;
    await connect(server.url).set('kept', 'yes');
    expect(server.kill('SIGKILL')).toBe(true);
    const isGone = (): boolean => !isRunning(pid ?? 0);
    expect(await waitUntil(isGone, { timeoutMs: 5_000 })).toBe(true);
    await server.restart();
    expect(server.pid).not.toBe(pid);
    expect(await connect(server.url).get('kept')).toBe('yes');
  });

  it('hangs while it is stopped by a signal, and goes on afterwards', async () => {
    const server = await start(cleanup.makeFolder());
    const client = connect(server.url);
    await client.ping();
    server.kill('SIGSTOP');
    await expect(client.ping()).rejects.toThrow(/timed out/i);
    server.kill('SIGCONT');
    expect(await client.ping()).toBe('PONG');
  });

  it('stops even while it is stopped by a signal', async () => {
    const server = await start(cleanup.makeFolder());
    const { pid } = server;
    server.kill('SIGSTOP');
    await server.stop();
    expect(isRunning(pid ?? 0)).toBe(false);
  });

  it('never evicts, and writes everything to its append-only file', async () => {
    const client = connect((await start(cleanup.makeFolder())).url);
    expect(await client.info('memory')).toContain('maxmemory_policy:noeviction');
    expect(await client.info('persistence')).toContain('aof_enabled:1');
  });

  it('takes another port when the usual one is taken', async () => {
    const occupied = await occupyPort(REDIS_DEFAULT_PORT);
    cleanup.add(() => occupied.close());
    const server = await start(cleanup.makeFolder());
    expect(server.port).not.toBe(REDIS_DEFAULT_PORT);
    expect(await connect(server.url).ping()).toBe('PONG');
  });

  it('says why it cannot start, with the end of its log', async () => {
    const dataDir = cleanup.makeFolder();
    const settings = { 'no-such-setting': 'x' };
    await expect(startRedis({ dataDir, log, settings })).rejects.toThrow(
      /Redis on port \d+ ended by exit code 1[^]+no-such-setting/,
    );
  });

  it('refuses a folder whose server runs already', async () => {
    const dataDir = cleanup.makeFolder();
    await start(dataDir);
    await expect(startRedis({ dataDir, log })).rejects.toThrow(
      `started by process ${String(process.pid)}: stop that one first`,
    );
  });

  it('says in one sentence what to do where there is none', async () => {
    const env = { PATH: cleanup.makeFolder(), SLUICE_CACHE_DIR: cleanup.makeFolder() };
    await expect(resolveRedisBinary(env, log)).rejects.toThrow(
      /^Redis was not found: install it .+ or set REDIS_URL to a running one\.$/,
    );
  });
});
