import { afterEach, describe, expect, it } from 'vitest';
import { waitUntil } from '../../../scripts/dev/servers/ports.ts';
import { ensureServers } from '../../../scripts/dev/servers/servers.ts';
import {
  createCleanup,
  createMemoryLog,
  isRunning,
  listChildren,
  listProcessesOf,
  runParent,
} from './support.ts';
import { noneFails } from '../../../core/kernel/every.ts';

const cleanup = createCleanup();
/** Starting servers takes a second here, and many on a machine that is busy. */
const TIMEOUT_MS = 60_000;
const GONE_WITHIN_MS = 12_000;
const NO_URLS = { ...process.env, MONGO_URL: '', REDIS_URL: '' };

async function areGone(pids: readonly unknown[]): Promise<boolean> {
  return waitUntil(() => noneFails(pids, (pid) => !isRunning(Number(pid))), {
    timeoutMs: GONE_WITHIN_MS,
  });
}

describe('when the process that started the servers dies', { timeout: TIMEOUT_MS }, () => {
  afterEach(cleanup.run);

  it('by kill -9, so do the servers and all their helpers', async () => {
    const folder = cleanup.makeFolder();
    const parent = await runParent('servers-parent.ts', [folder]);
    cleanup.add(() => parent.child.kill('SIGKILL'));
    const { mongoPid, redisPid } = parent.said;
    expect([isRunning(Number(mongoPid)), isRunning(Number(redisPid))]).toEqual([true, true]);
    parent.child.kill('SIGKILL');
    await parent.exited;
    expect(await areGone([mongoPid, redisPid])).toBe(true);
    const isEmpty = (): boolean => listProcessesOf(folder).length === 0;
    expect(await waitUntil(isEmpty, { timeoutMs: GONE_WITHIN_MS })).toBe(true);
  });

  it.each(['throw', 'exit'])('by %s, so do the servers', async (end) => {
    const parent = await runParent('servers-parent.ts', [cleanup.makeFolder(), end]);
    cleanup.add(() => parent.child.kill('SIGKILL'));
    await parent.exited;
    expect(await areGone([parent.said['mongoPid'], parent.said['redisPid']])).toBe(true);
  });

  it('by kill -9, so does a supervised process that refuses SIGTERM, and its helper', async () => {
    const parent = await runParent('process-parent.ts', []);
    cleanup.add(() => parent.child.kill('SIGKILL'));
    const { pid, helperPid } = parent.said;
    expect([isRunning(Number(pid)), isRunning(Number(helperPid))]).toEqual([true, true]);
    parent.child.kill('SIGKILL');
    await parent.exited;
    expect(await areGone([pid, helperPid])).toBe(true);
  });

  it('together with its watchdog, the next start clears up and has the data', async () => {
    const folder = cleanup.makeFolder();
    const parent = await runParent('servers-parent.ts', [folder]);
    const { mongoPid, redisPid } = parent.said;
    cleanup.add(() => {
      for (const pid of [mongoPid, redisPid].filter((each) => isRunning(Number(each)))) {
        process.kill(Number(pid), 'SIGKILL');
      }
    });
    const watchdogs = listChildren(parent.child.pid ?? 0, 'sluice-watchdog');
    expect(watchdogs).toHaveLength(1);
    for (const pid of watchdogs) process.kill(pid, 'SIGKILL');
    parent.child.kill('SIGKILL');
    await parent.exited;
    expect([isRunning(Number(mongoPid)), isRunning(Number(redisPid))]).toEqual([true, true]);

    const log = createMemoryLog();
    const servers = await ensureServers({ env: NO_URLS, dataDir: folder, log, ports: 'any' });
    cleanup.add(() => servers.discard());
    expect([isRunning(Number(mongoPid)), isRunning(Number(redisPid))]).toEqual([false, false]);
    expect(log.lines.join('\n')).toContain('left over from an earlier crash');
  });
});
