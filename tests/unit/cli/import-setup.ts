import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach } from 'vitest';
import { summarize } from '../../../cli/import/report.ts';
import { type ImportOptions, type ImportProgress, createImport } from '../../../cli/import/run.ts';
import { type Behaviour, type BulkServer, TEST_KEY, startBulkServer } from './bulk-server.ts';

let folder: string;
let servers: BulkServer[] = [];

/** The folder of the running test. */
export const here = (): string => folder;

/** Closed after the test. */
export function owned(server: BulkServer): BulkServer {
  servers.push(server);
  return server;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-import-'));
});

afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
  servers = [];
  rmSync(folder, { recursive: true });
});

export async function serve(behaviour: Behaviour = {}): Promise<BulkServer> {
  return owned(await startBulkServer(behaviour));
}

export const lineOf = (n: number, extra: object = {}): string =>
  JSON.stringify({ type: 'wallet.credit', idempotencyKey: `k${n}`, input: { n }, ...extra });

export const linesOf = (count: number): string[] =>
  Array.from({ length: count }, (_, n) => lineOf(n));

export function fileOf(lines: readonly string[], name = 'ops.ndjson'): string {
  const path = join(folder, name);
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  return path;
}

export interface Setting extends Partial<ImportOptions> {
  readonly url?: string;
  readonly signal?: AbortSignal;
  readonly stdin?: Readable;
  readonly onProgress?: (progress: ImportProgress) => void;
}

export function importOf(server: BulkServer, file: string, setting: Setting = {}) {
  const { signal = new AbortController().signal, stdin, onProgress, ...options } = setting;
  return createImport(
    {
      file,
      chunkItems: 1_000,
      windowIds: 20_000,
      retryForMs: 5_000,
      firstAnswerMs: 5_000,
      settleForMs: 5_000,
      waits: true,
      ...options,
    },
    {
      connection: { url: server.url, key: TEST_KEY, hint: 'Hint.' },
      signal,
      ...(stdin !== undefined && { stdin }),
      ...(onProgress !== undefined && { onProgress }),
    },
  );
}

export async function run(server: BulkServer, file: string, setting: Setting = {}) {
  const work = importOf(server, file, setting);
  await work.run();
  const { tally, refused, earlier, isAfterAnother } = work;
  return summarize({ ...{ file, tally, refused, earlier, isAfterAnother }, elapsedMs: 1_000 });
}

export const refusedIn = (path: string): unknown[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);

export const keysOf = (server: BulkServer): string[] => server.accepted.map(({ key }) => key);
