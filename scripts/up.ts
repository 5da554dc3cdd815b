import { join, resolve } from 'node:path';
import type { Connection } from '../cli/connection.ts';
import { type DevFile, readDevFile, writeDevFile } from '../cli/dev-file.ts';
import { EXIT } from '../cli/exit.ts';
import { brandDatabase } from '../core/tenants/brand-database.ts';
import { DEFAULT_TENANT_ID } from '../core/tenants/tenant.ts';
import { onInterrupt } from './dev/servers/interrupts.ts';
import { ownIdentity } from './dev/servers/pid-file.ts';
import { pickPort } from './dev/servers/ports.ts';
import { isAlive } from './dev/servers/process-identity.ts';
import { type Log, createTerminalLog, runStep } from './dev/servers/report.ts';
import { ensureServers } from './dev/servers/servers.ts';
import { createWatchdog } from './dev/servers/watchdog.ts';
import { addressLines } from './dev/up/addresses.ts';
import {
  type Child,
  type ChildContext,
  type ChildSpec,
  startChild,
  stopChild,
  waitUntilReady,
} from './dev/up/children.ts';
import { startInbox } from './dev/up/inbox.ts';
import { type UpOptions, parseUpOptions } from './dev/up/options.ts';
import { prepareSchema } from './dev/up/schema.ts';
import { showSagas } from './dev/up/saga-sample.ts';
import { showBalances, showConservation, submitSample } from './dev/up/sample.ts';
import {
  apiPortOf,
  databaseOf,
  lastPort,
  refuseUnusable,
  secretsOf,
  stackEnvIn,
  urlOf,
} from './dev/up/settings.ts';
import { workerPlans } from './dev/up/workers.ts';

/** `npm start`: servers, API, workers, the sample, the addresses; then up until Ctrl-C. */
const ROOT = resolve(import.meta.dirname, '..');
const DATA_FOLDER = join(ROOT, '.data');
const SAMPLE_FILE = join('examples', 'payday.ndjson');
const SAMPLE_USERS = ['pd1-user-001', 'pd1-user-002', 'pd1-employer-001', 'pd1-shop-001'] as const;
const CACHE_GB = 0.5;

/** What to release at the end, the last first. */
type Stopper = () => Promise<void>;

interface Run {
  readonly options: UpOptions;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly stoppers: Stopper[];
  /** Ends everything because it cannot go on. */
  readonly fail: (reason: string) => void;
}

async function main(): Promise<void> {
  const options = parseUpOptions(process.argv.slice(2), process.env);
  if (typeof options === 'number') {
    process.exitCode = options;
    return;
  }
  const log = createTerminalLog(process.stdout);
  const running = readDevFile();
  if (running?.owner !== undefined && isAlive(running.owner)) {
    log(`Sluice is up already, started by process ${String(running.owner.pid)}:`);
    showAddresses(log, running);
    return;
  }
  const stopping = new AbortController();
  const stoppers: Stopper[] = [];
  const stopAll = async (reason: string): Promise<void> => {
    if (stopping.signal.aborted) return;
    stopping.abort(new Error('stopping'));
    log(`• ${reason}: stopping`);
    for (const stop of stoppers.reverse()) await stop();
    log('• stopped; the data stays in .data/');
  };
  onInterrupt(stopAll);
  const fail = (reason: string): void => {
    const end = (): void => process.exit(EXIT.failed);
    stopAll(reason).then(end, end);
  };
  try {
    await startAll({ options, log, signal: stopping.signal, stoppers, fail });
  } catch (error) {
    if (stopping.signal.aborted) return; // it was told to stop, and is about to
    fail(error instanceof Error ? error.message : String(error));
  }
}

async function startAll(run: Run): Promise<void> {
  const { options, log, signal, stoppers } = run;
  const last = readDevFile();
  const secrets = secretsOf(process.env, last);
  refuseUnusable(process.env, secrets);
  const watchdog = createWatchdog();
  const servers = await ensureServers({
    env: process.env,
    dataDir: DATA_FOLDER,
    log,
    restartOnCrash: true,
    cacheGb: CACHE_GB,
    watchdog,
  });
  stoppers.push(() => servers.stop());
  signal.throwIfAborted();

  const port = await apiPortOf(options.port, last?.url);
  const inbox = await startInbox(new Set([port]), last);
  stoppers.push(() => inbox.close());
  const { mongoUrl, redisUrl } = servers;
  const mongoDb = databaseOf(process.env);
  const inboxUrl = inbox.receiver.url;
  const addresses = { url: urlOf(port), mongoUrl, mongoDb, redisUrl, inboxUrl };
  let dev: DevFile = { ...addresses, ...secrets, pids: {} };
  const save = (change: Partial<DevFile>): void => {
    dev = { ...dev, ...change };
    writeDevFile(dev);
  };
  stoppers.push(async () => {
    save({ owner: undefined, pids: {} });
    return Promise.resolve();
  });
  await prepareSchema({ url: mongoUrl, database: mongoDb }, isPerBrand() ? 'control' : 'all');
  const context: ChildContext = {
    root: ROOT,
    logFolder: join(DATA_FOLDER, 'logs'),
    log,
    watchdog,
    onStart: (name, pid) => {
      save({ pids: { ...dev.pids, [name]: pid } });
    },
    onGiveUp: (name) => {
      run.fail(`${name} dies again and again (see .data/logs/${name}.log)`);
    },
  };
  save({
    sandboxUrl: await startProvider(run, { apiPort: port, last, context }),
    stackEnv: stackEnvIn(process.env, inbox.env),
  });
  const placed = { ...dev, workerUrls: last?.workerUrls ?? [] };
  const children = await startChildren({ ...run, inboxEnv: dev.stackEnv ?? {} }, placed, context);
  save({ owner: ownIdentity(), workerUrls: children.slice(1).map(({ url }) => url) });
  // The addresses first: nobody should have to wait for a sample, or for a large ledger's sums.
  showAddresses(log, dev);
  if (options.sample) await runSample(run, dev);
  log(`Up at ${dev.url} until Ctrl-C.`);
}

interface ProviderPlace {
  readonly apiPort: number;
  readonly last: DevFile | undefined;
  readonly context: ChildContext;
}

/** A payment provider for deposits and withdrawals, unless the environment names one. */
async function startProvider(run: Run, place: ProviderPlace): Promise<string> {
  const { apiPort, last, context } = place;
  const { SANDBOX_URL } = process.env;
  if (SANDBOX_URL !== undefined && SANDBOX_URL !== '') return SANDBOX_URL;
  const preferred = [...lastPort(last?.sandboxUrl), apiPort + 1];
  const port = await pickPort(preferred, new Set([apiPort]));
  const url = urlOf(port);
  return runStep(run.log, 'Payment provider (sandbox): starting', async (note) => {
    note(`port ${String(port)}`);
    const spec = {
      name: 'sandbox',
      script: 'scripts/dev/sandbox/main.ts',
      args: [String(port)],
      url,
    };
    const child = startChild({ ...spec, env: process.env }, context);
    run.stoppers.push(() => stopChild(child));
    await waitUntilReady(child, run.signal);
    return url;
  });
}

async function startChildren(
  { options, log, signal, stoppers, inboxEnv }: Run & { readonly inboxEnv: NodeJS.ProcessEnv },
  dev: DevFile,
  context: ChildContext,
): Promise<readonly Child[]> {
  const apiPort = Number(new URL(dev.url).port);
  const shared = {
    ...inboxEnv,
    ...process.env,
    MONGO_URL: dev.mongoUrl,
    MONGO_DB: dev.mongoDb,
    REDIS_URL: dev.redisUrl,
    BOOTSTRAP_API_KEY: dev.apiKey,
    ADMIN_PASSWORD: dev.adminPassword,
    SANDBOX_URL: dev.sandboxUrl,
  };
  const ports = new Set([apiPort]);
  const specs: ChildSpec[] = [
    { name: 'api', script: 'api/main.ts', url: dev.url, env: { ...shared, PORT: String(apiPort) } },
  ];
  for (const { name, pools, restart } of workerPlans(
    options.workers,
    process.env['WORKER_POOLS'],
  )) {
    const port = await pickPort(lastPort(dev.workerUrls?.[specs.length - 1]), ports);
    ports.add(port);
    const own = pools === undefined ? {} : { WORKER_POOLS: pools.join(',') };
    const env = { ...shared, ...own, PORT: '', WORKER_PORT: String(port) };
    const again = restart === undefined ? {} : { restart };
    specs.push({ name, script: 'workers/main.ts', url: urlOf(port), env, ...again });
  }
  const processes = specs.length - 1;
  const count = processes === 1 ? '1 worker' : `${String(processes)} worker processes`;
  return runStep(log, `API and ${count}: starting`, async (note) => {
    note(`port ${String(apiPort)}`);
    // Workers are stopped after the API, which may still be answering for what they settle.
    const children = specs.map((spec) => startChild(spec, context));
    const [api, ...workers] = children;
    stoppers.push(async () => {
      await Promise.all(workers.map(stopChild));
    });
    if (api !== undefined) stoppers.push(() => stopChild(api));
    await Promise.all(children.map((child) => waitUntilReady(child, signal)));
    return children;
  });
}

function isPerBrand(): boolean {
  return process.env['TENANCY'] === 'per-brand';
}

async function runSample({ log, signal }: Run, dev: DevFile): Promise<void> {
  const connection: Connection = { url: dev.url, key: dev.apiKey, hint: 'See .data/logs/api.log.' };
  const refused = join(DATA_FOLDER, 'payday.refused.ndjson');
  const context = { connection, log, signal };
  try {
    await submitSample(join(ROOT, SAMPLE_FILE), refused, context);
    await showBalances(SAMPLE_USERS, context);
    const database = isPerBrand() ? brandDatabase(dev.mongoDb, DEFAULT_TENANT_ID) : dev.mongoDb;
    await showSagas({ url: dev.mongoUrl, database: dev.mongoDb }, context);
    await showConservation({ url: dev.mongoUrl, database }, context);
  } catch (error) {
    signal.throwIfAborted();
    // No reason to take the platform down: whoever looks into it needs it.
    log(`• sample: not done: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function showAddresses(log: Log, dev: DevFile): void {
  const [payer, payee] = SAMPLE_USERS;
  for (const line of addressLines({ dev, workerUrls: dev.workerUrls ?? [], payer, payee })) {
    log(line);
  }
}

await main();
