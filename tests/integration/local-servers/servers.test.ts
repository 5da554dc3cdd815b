import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { removeAbandoned } from '../../../scripts/dev/servers/leftovers.ts';
import { waitUntil } from '../../../scripts/dev/servers/ports.ts';
import { ensureServers } from '../../../scripts/dev/servers/servers.ts';
import { createCleanup, createMemoryLog, isRunning, runParent } from './support.ts';

const cleanup = createCleanup();
/** Starting servers takes a second here, and many on a machine that is busy. */
const TIMEOUT_MS = 60_000;
const MONGO_URL = 'mongodb://db.example/?replicaSet=there';
const REDIS_URL = 'redis://cache.example';
const NO_URLS = { ...process.env, MONGO_URL: '', REDIS_URL: '' };

describe('the servers of the platform', { timeout: TIMEOUT_MS }, () => {
  afterEach(cleanup.run);

  it('are those that the environment names', async () => {
    const dataDir = join(cleanup.makeFolder(), 'data');
    const env = { MONGO_URL, REDIS_URL };
    const servers = await ensureServers({ env, dataDir, log: createMemoryLog() });
    expect([servers.mongoUrl, servers.redisUrl]).toEqual([MONGO_URL, REDIS_URL]);
    await servers.stop();
    expect(existsSync(dataDir)).toBe(false);
  });

  it('are started where the environment names none', async () => {
    const dataDir = join(cleanup.makeFolder(), 'data');
    const env = { ...process.env, MONGO_URL, REDIS_URL: '' };
    const servers = await ensureServers({ env, dataDir, log: createMemoryLog(), ports: 'any' });
    cleanup.add(() => servers.discard());
    expect(servers.mongoUrl).toBe(MONGO_URL);
    expect(servers.mongo).toBeUndefined();
    const pid = servers.redis?.pid ?? 0;
    expect(isRunning(pid)).toBe(true);
    await servers.discard();
    expect(isRunning(pid)).toBe(false);
    expect(existsSync(dataDir)).toBe(false);
  });

  it('are those of another process that runs on the same folder, and stay up with it', async () => {
    const dataDir = cleanup.makeFolder();
    const parent = await runParent('servers-parent.ts', [dataDir]);
    cleanup.add(async () => {
      parent.child.kill('SIGKILL');
      const { mongoPid, redisPid } = parent.said;
      const areGone = (): boolean => !isRunning(Number(mongoPid)) && !isRunning(Number(redisPid));
      expect(await waitUntil(areGone, { timeoutMs: 10_000 })).toBe(true);
    });
    const log = createMemoryLog();
    const servers = await ensureServers({ env: NO_URLS, dataDir, log });
    expect(servers.mongoUrl).toBe(parent.said['mongoUrl']);
    expect(servers.redisUrl).toBe(parent.said['redisUrl']);
    await servers.stop();
    expect(isRunning(Number(parent.said['mongoPid']))).toBe(true);
    expect(isRunning(Number(parent.said['redisPid']))).toBe(true);
    const three = ensureServers({ env: NO_URLS, dataDir, log, members: 3 });
    await expect(three).rejects.toThrow(/A replica set of 1 runs on .+, not of 3/);
  });

  it('start again when they die by themselves, where that is asked for', async () => {
    const env = { ...process.env, MONGO_URL, REDIS_URL: '' };
    const log = createMemoryLog();
    const servers = await ensureServers({
      ...{ env, log, ports: 'any', restartOnCrash: true },
      dataDir: join(cleanup.makeFolder(), 'data'),
    });
    cleanup.add(() => servers.discard());
    const pid = servers.redis?.pid ?? 0;
    process.kill(pid, 'SIGKILL');
    const isBack = (): boolean => ![undefined, pid].includes(servers.redis?.pid);
    expect(await waitUntil(isBack, { timeoutMs: 5_000 })).toBe(true);
    expect(log.lines.join('\n')).toContain('Redis: ended by signal SIGKILL, starts again');
  });

  it('leave no folder of a killed test run behind', async () => {
    const parentFolder = cleanup.makeFolder();
    const folder = join(parentFolder, '999999999');
    const parent = await runParent('servers-parent.ts', [folder]);
    parent.child.kill('SIGKILL');
    await parent.exited;
    expect(existsSync(folder)).toBe(true);
    await removeAbandoned(parentFolder, createMemoryLog());
    expect(existsSync(folder)).toBe(false);
    expect(isRunning(Number(parent.said['mongoPid']))).toBe(false);
  });
});
