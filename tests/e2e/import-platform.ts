import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Mongo, openMongo } from '../../core/infra/mongo.ts';
import type { WalletDoc } from '../../core/ledger/documents.ts';
import { lastLines } from '../../scripts/dev/servers/commands.ts';
import { pickPort, waitUntil } from '../../scripts/dev/servers/ports.ts';
import { type SupervisedProcess, spawnSupervised } from '../../scripts/dev/servers/processes.ts';
import type { Balances } from './import-model.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const KEY = 'slk_e2e0_0123456789abcdefghijklmn';
const READY_TIMEOUT_MS = 60_000;
const STOP_MS = 30_000;

const mongoUrl = process.env['MONGO_URL'] ?? 'mongodb://127.0.0.1:27017/?replicaSet=rs0';

/** An API and a worker as real processes, on a database and a queue prefix of their own. */
export interface Platform {
  readonly url: string;
  readonly folder: string;
  readonly api: SupervisedProcess;
  readonly worker: SupervisedProcess;
  readonly mongo: Mongo;
  /** Runs the command line against it. */
  sluice(args: readonly string[]): Run;
  balances(): Promise<Balances>;
  close(): Promise<void>;
}

export interface Run {
  readonly ended: Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
  kill(signal: NodeJS.Signals): void;
}

export async function startPlatform(name: string, redisUrl: string): Promise<Platform> {
  const database = `sluice_e2e_${name}_${process.pid}`;
  const folder = mkdtempSync(join(tmpdir(), `sluice-e2e-${name}-`));
  const [apiPort, workerPort] = [await pickPort([]), await pickPort([])];
  const env = {
    ...process.env,
    MONGO_URL: mongoUrl,
    MONGO_DB: database,
    REDIS_URL: redisUrl,
    QUEUE_PREFIX: database,
    BOOTSTRAP_API_KEY: KEY,
    LOG_LEVEL: 'warn',
    PORT: String(apiPort),
    WORKER_PORT: String(workerPort),
  };
  const start = (script: string): SupervisedProcess =>
    spawnSupervised({
      name: script,
      command: process.execPath,
      args: ['--import', import.meta.resolve('tsx'), join(ROOT, script)],
      cwd: ROOT,
      env,
      log: () => undefined,
      output: { file: join(folder, `${script.replaceAll('/', '-')}.log`) },
      restart: { firstDelayMs: 50, delayMsMax: 50, restartsMax: 50, windowMs: 60_000 },
    });
  const api = start('api/main.ts');
  const worker = start('workers/main.ts');
  const url = `http://127.0.0.1:${apiPort}`;
  const mongo = await openMongo({ url: mongoUrl, database, appName: 'test-e2e-import' });
  const close = async (): Promise<void> => {
    await Promise.all([api.stop('SIGTERM', STOP_MS), worker.stop('SIGTERM', STOP_MS)]);
    await mongo.db.dropDatabase();
    await mongo.close();
    rmSync(folder, { recursive: true });
  };
  await Promise.all([ready(url, folder), ready(`http://127.0.0.1:${workerPort}`, folder)]);
  const addresses = ['--url', url, '--key', KEY];
  const inDatabase = ['--mongo-url', mongoUrl, '--db', database];
  return {
    url,
    folder,
    api,
    worker,
    mongo,
    sluice: (args) => runSluice([...args, ...(args[0] === 'import' ? addresses : inDatabase)]),
    balances: () => balancesIn(mongo),
    close,
  };
}

async function ready(url: string, folder: string): Promise<void> {
  const answers = async (): Promise<boolean> =>
    fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  if (await waitUntil(answers, { timeoutMs: READY_TIMEOUT_MS })) return;
  const logs = ['api-main.ts.log', 'workers-main.ts.log'];
  const ends = logs.map((log) => lastLines(readFileSync(join(folder, log), 'utf8'), 5));
  throw new Error(`${url} does not become ready:\n${ends.join('\n')}`);
}

function runSluice(args: readonly string[]): Run {
  const child = spawn(process.execPath, [join(ROOT, 'scripts/sluice.mjs'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text.out += part));
  child.stderr.setEncoding('utf8').on('data', (part: string) => (text.err += part));
  return {
    ended: new Promise((settle, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        settle({ code: code ?? -1, ...text });
      });
    }),
    kill: (signal) => void child.kill(signal),
  };
}

/** Users' wallets by `<user> <currency>`. */
async function balancesIn({ db }: Mongo): Promise<Balances> {
  const wallets = await db
    .collection<WalletDoc>('wallets', { useBigInt64: true })
    .find({ userId: { $not: /^sys:/ } })
    .toArray();
  const rows = wallets.map(({ userId, currency, balance, bonusBalance, lockedBalance }) => [
    `${userId} ${currency}`,
    { real: balance, bonus: bonusBalance, locked: lockedBalance },
  ]);
  return Object.fromEntries(rows) as Balances;
}
