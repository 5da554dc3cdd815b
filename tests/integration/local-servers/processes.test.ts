import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { waitUntil } from '../../../scripts/dev/servers/ports.ts';
import {
  spawnSupervised,
  type ProcessSpec,
  type SupervisedProcess,
} from '../../../scripts/dev/servers/processes.ts';
import { createCleanup, createMemoryLog, isRunning, listChildren } from './support.ts';

const cleanup = createCleanup();
const SOON_MS = 10_000;
const IDLE = 'setInterval(() => {}, 1e6);';
const QUICK = { firstDelayMs: 5, delayMsMax: 20, restartsMax: 3, windowMs: 60_000 };

function spawn(script: string, more: Partial<ProcessSpec> = {}): SupervisedProcess {
  const supervised = spawnSupervised({
    name: 'child',
    command: process.execPath,
    args: ['-e', script],
    log: createMemoryLog(),
    ...more,
  });
  cleanup.add(() => supervised.stop('SIGKILL'));
  return supervised;
}

async function soon(condition: () => boolean): Promise<boolean> {
  return waitUntil(condition, { timeoutMs: SOON_MS });
}

describe('a supervised process', () => {
  afterEach(cleanup.run);

  it('prints line by line under its name', async () => {
    const log = createMemoryLog();
    spawn(`console.log('one'); console.error('two'); ${IDLE}`, { log });
    expect(await soon(() => log.lines.length === 2)).toBe(true);
    expect([...log.lines].sort()).toEqual(['child | one', 'child | two']);
  });

  it('prints to a file', async () => {
    const file = join(cleanup.makeFolder(), 'logs', 'child.log');
    const supervised = spawn(`console.log('one')`, { output: { file } });
    expect(await supervised.waitForExit(SOON_MS)).toEqual({ code: 0, signal: null });
    expect(readFileSync(file, 'utf8')).toBe('one\n');
  });

  it('starts again after a crash, under another pid', async () => {
    const supervised = spawn(IDLE, { restart: QUICK });
    const first = supervised.pid;
    supervised.kill('SIGKILL');
    expect(await soon(() => supervised.restarts === 1)).toBe(true);
    expect(supervised.pid).not.toBe(first);
    expect(isRunning(supervised.pid ?? 0)).toBe(true);
  });

  it('is given up when it ends too often', async () => {
    const log = createMemoryLog();
    let givenUp = 0;
    const onGiveUp = (): void => void (givenUp += 1);
    const supervised = spawn('process.exit(7)', { log, restart: QUICK, onGiveUp });
    expect(await soon(() => givenUp === 1)).toBe(true);
    expect(supervised.restarts).toBe(QUICK.restartsMax);
    expect(supervised.isRunning()).toBe(false);
    expect(log.lines.at(-1)).toBe('child: ended too often, last by exit code 7; not started again');
  });

  it('is killed when it refuses to stop, and not started again', async () => {
    const log = createMemoryLog();
    const script = `process.on('SIGTERM', () => {}); console.log('up'); ${IDLE}`;
    const supervised = spawn(script, { log, restart: QUICK });
    expect(await soon(() => log.lines.length === 1)).toBe(true);
    await supervised.stop('SIGTERM', 100);
    expect(supervised.isRunning()).toBe(false);
    expect(await supervised.waitForExit(0)).toEqual({ code: null, signal: 'SIGKILL' });
    expect(await waitUntil(() => supervised.isRunning(), { timeoutMs: 200 })).toBe(false);
  });

  it('needs its watchdog for as long as it runs', async () => {
    const listWatchdogs = (): number[] => listChildren(process.pid, 'sluice-watchdog');
    const supervised = spawn(IDLE);
    expect(listWatchdogs()).toHaveLength(1);
    await supervised.stop();
    expect(await soon(() => listWatchdogs().length === 0)).toBe(true);
    supervised.start();
    expect(listWatchdogs()).toHaveLength(1);
  });

  it('stops in good order also while it is stopped by a signal', async () => {
    const supervised = spawn(IDLE);
    supervised.kill('SIGSTOP');
    await supervised.stop('SIGTERM', SOON_MS);
    expect(await supervised.waitForExit(0)).toEqual({ code: null, signal: 'SIGTERM' });
  });

  it.each<[string, (supervised: SupervisedProcess) => unknown]>([
    ['it is stopped', (supervised) => supervised.stop()],
    ['it crashes', ({ pid }) => process.kill(pid ?? 0, 'SIGKILL')],
  ])('takes its helpers with it when %s', async (_, end) => {
    const log = createMemoryLog();
    const helper = `require('child_process').spawn(process.execPath, ['-e', '${IDLE}'])`;
    const supervised = spawn(`console.log(${helper}.pid); ${IDLE}`, { log });
    expect(await soon(() => log.lines.length === 1)).toBe(true);
    const helperPid = Number(log.lines[0]?.split(' | ')[1]);
    expect(isRunning(helperPid)).toBe(true);
    await end(supervised);
    expect(await soon(() => !isRunning(helperPid))).toBe(true);
  });

  it('is no crash of ours when its program does not exist', async () => {
    const log = createMemoryLog();
    const supervised = spawn('', { log, command: '/no/such/program' });
    expect(await supervised.waitForExit(SOON_MS)).toEqual({ code: 127, signal: null });
    expect(log.lines[0]).toContain('child: could not be started');
  });
});
