import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { resolveConnection, resolveDatabase } from '../../../cli/connection.ts';
import { type DevFile, readDevFile, writeDevFile } from '../../../cli/dev-file.ts';
import {
  formatBar,
  formatBytes,
  formatCount,
  formatDuration,
  formatTable,
} from '../../../cli/format.ts';
import { createProgressLine } from '../../../cli/import/report.ts';
import { createTally } from '../../../cli/import/tally.ts';
import { createSettlementWindow } from '../../../cli/import/window.ts';
import { createRetry } from '../../../cli/retry.ts';
import { createTerminal } from '../../../cli/terminal.ts';
import { parseUpOptions } from '../../../scripts/dev/up/options.ts';
import { apiPortOf, secretsOf } from '../../../scripts/dev/up/settings.ts';
import { allOf } from '../../../core/kernel/every.ts';

const DEV: DevFile = {
  url: 'http://127.0.0.1:3000',
  apiKey: 'slk_dev0_aaaaaaaaaaaaaaaa',
  adminPassword: 'password',
  mongoUrl: 'mongodb://127.0.0.1:27017/?replicaSet=rs0',
  mongoDb: 'sluice_dev',
  redisUrl: 'redis://127.0.0.1:6379',
  pids: {},
};

describe('where the API is', () => {
  it('says the command line, else the environment, else what npm start left', () => {
    const env = { SLUICE_URL: 'http://env:1', SLUICE_API_KEY: 'env-key' };
    const options = { url: 'http://cli:2/', key: 'cli-key' };
    expect(resolveConnection(options, { env, dev: DEV })).toMatchObject({
      url: 'http://cli:2',
      key: 'cli-key',
    });
    expect(resolveConnection({}, { env, dev: DEV })).toMatchObject({
      url: 'http://env:1',
      key: 'env-key',
    });
    expect(resolveConnection({}, { env: { SLUICE_URL: '' }, dev: DEV })).toMatchObject({
      url: DEV.url,
      key: DEV.apiKey,
    });
  });

  it('never sends the key of npm start anywhere else', () => {
    const elsewhere = { url: 'https://payments.example.org' };
    expect(() => resolveConnection(elsewhere, { env: {}, dev: DEV })).toThrow('no API key');
    const same = { url: 'http://127.0.0.1:3000/' };
    expect(resolveConnection(same, { env: {}, dev: DEV }).key).toBe(DEV.apiKey);
  });

  it('is 127.0.0.1:3000 when nobody says anything, and needs a key', () => {
    expect(() => resolveConnection({}, { env: {}, dev: undefined })).toThrow(
      'There is no API key for http://127.0.0.1:3000',
    );
  });

  it('keeps the development database to the development server', () => {
    const env = { MONGO_URL: 'mongodb://elsewhere/' };
    expect(resolveDatabase({}, { env, dev: DEV })).toEqual({
      url: 'mongodb://elsewhere/',
      database: 'sluice',
    });
    expect(resolveDatabase({}, { env: {}, dev: DEV }).database).toBe('sluice_dev');
    expect(resolveDatabase({ db: 'x' }, { env: {}, dev: DEV }).database).toBe('x');
  });
});

describe('the file of npm start', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-dev-'));
  const path = join(folder, 'deeper', 'dev.json');
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('comes back as written, readable for its owner only', () => {
    writeDevFile(DEV, path);
    expect(readDevFile(path)).toEqual(DEV);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    writeDevFile({ ...DEV, pids: { api: 7 } }, path);
    expect(readDevFile(path)?.pids).toEqual({ api: 7 });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('counts as missing when it cannot be understood', () => {
    expect(readDevFile(path)).toBeUndefined();
    writeDevFile(DEV, path);
    writeFileSync(path, '{"url": 7}');
    expect(readDevFile(path)).toBeUndefined();
  });
});

describe('formats', () => {
  it('read well', () => {
    expect(formatCount(1_234_567)).toBe('1,234,567');
    expect(formatCount(-12_345_678_901_234_567_890n)).toBe('-12,345,678,901,234,567,890');
    expect([999, 1_000, 2_160_000].map(formatBytes)).toEqual(['999 B', '1.0 kB', '2.2 MB']);
    expect([0, 1_240, 59_940, 65_000, 7_384_000].map(formatDuration)).toEqual([
      '0.0 s',
      '1.2 s',
      '59.9 s',
      '1:05',
      '2:03:04',
    ]);
    expect(formatBar(0.5)).toBe(`[${'█'.repeat(12)}${'░'.repeat(12)}] 50%`);
    expect(formatBar(7)).toContain('100%');
    expect(
      formatTable([
        ['a', '1'],
        ['longer', '22'],
      ]),
    ).toEqual(['a        1', 'longer  22']);
  });
});

describe('the progress line', () => {
  it('says share, rate, remaining time and what is waited for', () => {
    let nowMs = 0;
    const line = createProgressLine(() => nowMs);
    const tally = createTally();
    const progress = { tally, bytesTotal: 1_000_000, outstanding: 42, notice: 'no connection' };
    nowMs = 2_000;
    Object.assign(tally, { fresh: 3_000, known: 1_000, bytesDone: 250_000 });
    tally.refused.set('invalid_json', 7);
    expect(line.text(progress)).toBe(
      `${formatBar(0.25)} 250.0 kB of 1.0 MB · 4,000 accepted · 2,000/s · 42 to settle · ` +
        '7 refused · 6.0 s left · waiting: no connection',
    );
  });

  it('does without a total', () => {
    const line = createProgressLine(() => 0);
    const tally = { ...createTally(), bytesDone: 5_000 };
    const progress = { tally, bytesTotal: undefined, outstanding: 0, notice: undefined };
    expect(line.text(progress)).toBe('5.0 kB · 0 accepted · 0/s');
  });

  it('forgets what is longer ago than ten seconds', () => {
    let nowMs = 0;
    const line = createProgressLine(() => nowMs);
    const tally = createTally();
    const progress = { tally, bytesTotal: undefined, outstanding: 0, notice: undefined };
    for (nowMs = 100; nowMs <= 60_000; nowMs += 100) {
      tally.fresh += nowMs <= 30_000 ? 1_000 : 20;
      line.sample(progress);
    }
    nowMs = 60_000;
    expect(line.text(progress)).toContain(' · 200/s');
  });
});

describe('the terminal', () => {
  function terminalOn(isTTY: boolean, isQuiet = false) {
    const stderr = Object.assign(new PassThrough(), { isTTY, columns: 40 });
    let nowMs = 0;
    const terminal = createTerminal({
      stdout: new PassThrough(),
      stderr,
      isQuiet,
      now: () => nowMs,
    });
    return {
      terminal,
      at: (ms: number) => (nowMs = ms),
      shown: () => String(stderr.read() ?? ''),
    };
  }

  it('redraws one line where it can, ten times a second at most, and never wraps', () => {
    const { terminal, at, shown } = terminalOn(true);
    terminal.live(() => 'one');
    at(50);
    terminal.live(() => 'too soon');
    at(150);
    terminal.live(() => 'x'.repeat(100));
    terminal.note('done');
    const clear = '\r\u001b[K';
    expect(shown()).toBe(`${clear}one${clear}${'x'.repeat(39)}${clear}done\n`);
  });

  it('writes a plain line every five seconds elsewhere', () => {
    const { terminal, at, shown } = terminalOn(false);
    for (const ms of [0, 4_900, 5_100, 6_000, 10_200]) {
      at(ms);
      terminal.live(() => `at ${ms}`);
    }
    expect(shown()).toBe('at 5100\nat 10200\n');
  });

  it('shows no progress when it is to be quiet', () => {
    const { terminal, at, shown } = terminalOn(false, true);
    at(60_000);
    terminal.live(() => 'progress');
    expect(shown()).toBe('');
  });
});

describe('retries', () => {
  function retryFor(forMs: number) {
    let nowMs = 0;
    const waits: number[] = [];
    const clock = {
      monotonicMs: () => nowMs,
      sleep: async (ms: number) => {
        waits.push(ms);
        nowMs += ms;
        await Promise.resolve();
      },
    };
    const signal = new AbortController().signal;
    return { waits, retry: createRetry({ forMs, signal, onWait: () => undefined, clock }) };
  }

  it('wait ever longer, up to five seconds, and give up in time', async () => {
    const { waits, retry } = retryFor(60_000);
    await expect(
      (async () => {
        for (;;) await retry.failed('it is away');
      })(),
    ).rejects.toThrow(/^gave up after .*: it is away$/);
    expect(Math.max(...waits)).toBeLessThanOrEqual(5_000);
    const total = waits.reduce((sum, wait) => sum + wait, 0);
    expect(total).toBeLessThanOrEqual(60_000);
    expect(total).toBeGreaterThan(54_000);
  });

  it('wait what the server asks for', async () => {
    const { waits, retry } = retryFor(60_000);
    await retry.failed('full', 7_000);
    await retry.failed('full', 20);
    expect(waits).toEqual([7_000, 50]);
  });

  it('do not hammer a server that asks for no wait: theirs grow', async () => {
    const { waits, retry } = retryFor(600_000);
    for (let failed = 0; failed < 60; failed += 1) await retry.failed('full', 0);
    const late = waits.slice(20);
    expect(Math.max(...late)).toBeGreaterThan(500);
    expect(Math.max(...late)).toBeLessThanOrEqual(5_000);
  });
});

describe('the settlement window', () => {
  it('goes on asking for the others when some take their time', async () => {
    const asked: string[][] = [];
    const settled: string[] = [];
    const clock = { monotonicMs: () => performance.now(), sleep: async () => Promise.resolve() };
    const window = createSettlementWindow({
      idsMax: 1_000,
      charsMax: 1_000_000,
      stallMs: 10_000,
      signal: new AbortController().signal,
      clock,
      look: async (ids) => {
        asked.push([...ids]);
        const isSlow = (id: string): boolean => Number(id) < 200 && settled.length < 300;
        const done = ids.filter((id) => !isSlow(id));
        return Promise.resolve(done.map((id) => ({ id, status: 'succeeded' })));
      },
      onSettled: ({ operationId }) => settled.push(operationId),
    });
    for (let id = 0; id < 500; id += 1) {
      window.add({ operationId: String(id), line: id, text: '' });
    }
    await window.drained();
    expect(settled).toHaveLength(500);
    expect(Math.max(...asked.map((ids) => ids.length))).toBe(200);
    expect(allOf(settled.slice(0, 300), (id) => Number(id) >= 200)).toBe(true);
  });

  it('tells whoever waits when asking fails', async () => {
    const window = createSettlementWindow({
      idsMax: 10,
      charsMax: 1_000,
      stallMs: 1_000,
      signal: new AbortController().signal,
      look: async () => Promise.reject(new Error('no')),
      onSettled: () => undefined,
    });
    window.add({ operationId: 'a', line: 1, text: '' });
    await expect(window.drained()).rejects.toThrow('no');
    await expect(window.room(1)).rejects.toThrow('no');
  });
});

describe('npm start', () => {
  it('takes its options from the command line and the environment', () => {
    expect(parseUpOptions([], {})).toEqual({ port: undefined, workers: 1, sample: true });
    const args = ['--port', '4000', '--workers', '3', '--no-sample'];
    expect(parseUpOptions(args, {})).toEqual({ port: 4_000, workers: 3, sample: false });
    expect(parseUpOptions([], { PORT: '3100' })).toMatchObject({ port: 3_100 });
    expect(parseUpOptions(['--port', '4000'], { PORT: '3100' })).toMatchObject({ port: 4_000 });
    expect(parseUpOptions([], { PORT: '' })).toMatchObject({ port: undefined });
  });

  it('keeps the secrets that it made, unless the environment names others', () => {
    const made = secretsOf({}, undefined);
    expect(made.apiKey).toMatch(/^slk_[a-z0-9]+_[A-Za-z0-9_-]{43}$/);
    expect(secretsOf({}, undefined)).not.toEqual(made);
    expect(secretsOf({ ADMIN_PASSWORD: '' }, { ...DEV, ...made })).toEqual(made);
    expect(secretsOf({ BOOTSTRAP_API_KEY: 'k', ADMIN_PASSWORD: 'p' }, DEV)).toEqual({
      apiKey: 'k',
      adminPassword: 'p',
    });
  });

  it('takes a free port unless it was told one', async () => {
    const port = await apiPortOf(undefined);
    expect(port).toBeGreaterThan(1_024);
    expect(await apiPortOf(port)).toBe(port);
  });
});
