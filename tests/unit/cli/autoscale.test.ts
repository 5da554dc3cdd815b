import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCrew } from '../../../cli/autoscale/crew.ts';
import { createScaler } from '../../../cli/autoscale/scaler.ts';
import { isAlive, identifyProcess } from '../../../scripts/dev/servers/process-identity.ts';
import { waitUntil } from '../../../scripts/dev/servers/ports.ts';

describe('the scaler', () => {
  it('adds workers at once and takes them away one by one, after a while', () => {
    const scaler = createScaler({ min: 1, max: 4, patience: 3 });
    const recommended = [0, 3, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1];
    let current = 0;
    const path = recommended.map((count) => (current = scaler.next(current, count)));
    expect(path).toEqual([1, 3, 4, 4, 4, 3, 3, 3, 2, 2, 2, 1, 1]);
  });

  it('begins to wait anew when there is work again', () => {
    const scaler = createScaler({ min: 1, max: 4, patience: 2 });
    expect([1, 3, 1, 3, 1, 1].map((count) => scaler.next(3, count))).toEqual([3, 3, 3, 3, 3, 2]);
  });

  it('brings back a worker that died', () => {
    const scaler = createScaler({ min: 2, max: 4, patience: 2 });
    expect(scaler.next(1, 0)).toBe(2);
  });
});

const POLITE = "process.on('SIGTERM', () => process.exit(0));";
const STUBBORN = "process.on('SIGTERM', () => {});";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-crew-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Workers that leave a file when they are ready for signals. */
function crewOf(script: string, stopMs = 10_000) {
  const said: string[] = [];
  const ready = `require('fs').writeFileSync(${JSON.stringify(folder)} + '/' + process.pid, '');`;
  const crew = createCrew({
    command: process.execPath,
    args: ['-e', `${script} ${ready} setInterval(() => {}, 1000);`],
    env: {},
    say: (line) => said.push(line),
    stopMs,
  });
  const areReady = (count: number): Promise<boolean> =>
    waitUntil(() => readdirSync(folder).length >= count, { timeoutMs: 20_000 });
  return { crew, said, areReady };
}

function isRunning(pid: number): boolean {
  const identity = identifyProcess(pid);
  return identity !== undefined && isAlive(identity);
}

describe('the crew', () => {
  it('has as many workers as it is told, and none after its dismissal', async () => {
    const { crew, said, areReady } = crewOf(POLITE);
    crew.resize(3);
    expect(crew.size).toBe(3);
    expect(await areReady(3)).toBe(true);
    const { pids } = crew;
    crew.resize(1);
    expect(crew.pids).toEqual(pids.slice(0, 1));
    await crew.dismiss();
    expect(crew.size).toBe(0);
    expect(said).toEqual([]);
    expect(pids.filter(isRunning)).toEqual([]);
  });

  it('counts and says a worker that ends by itself', async () => {
    const { crew, said } = crewOf('setTimeout(() => process.exit(7), 50);');
    crew.resize(2);
    expect(await waitUntil(() => crew.size === 0, { timeoutMs: 20_000 })).toBe(true);
    expect(said).toHaveLength(2);
    expect(said[0]).toMatch(/^worker \d+ ended by exit code 7$/);
  });

  it('kills what does not go in time', async () => {
    const { crew, areReady } = crewOf(STUBBORN, 300);
    crew.resize(1);
    expect(await areReady(1)).toBe(true);
    const { pids } = crew;
    const startedMs = performance.now();
    await crew.dismiss();
    expect(performance.now() - startedMs).toBeGreaterThan(290);
    expect(pids.filter(isRunning)).toEqual([]);
  });
});
