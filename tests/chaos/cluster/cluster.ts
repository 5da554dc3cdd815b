import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { pickPort } from '../../../scripts/dev/servers/ports.ts';
import type { ProcessExit } from '../../../scripts/dev/servers/processes.ts';
import { type LocalRedis, startRedis } from '../../../scripts/dev/servers/redis.ts';
import type { Log } from '../../../scripts/dev/servers/report.ts';
import { type Watchdog, createWatchdog } from '../../../scripts/dev/servers/watchdog.ts';
import { type Sandbox, startSandbox } from '../../../scripts/dev/sandbox/server.ts';
import { type StandIns, startStandIns } from '../../../scripts/dev/stand-ins/start.ts';
import type { Death } from '../checker/evidence.ts';
import { type FaultProxy, startFaultProxy } from '../fault-proxy.ts';
import type { Random } from '../random.ts';
import { type BuiltTree, buildTree } from './build-tree.ts';
import { type Child, startChildProcess } from './child.ts';
import { type MongoSet, startMongoSet } from './mongo-set.ts';
import { type WebhookReceiver, startWebhookReceiver } from './receiver.ts';

/**
 * The whole installation on one machine, each process a real one and a proxy on every way between
 * any two. The payment provider and the receivers live in this process, as real servers: they
 * hold what a run is judged by, so nothing may kill them; what is done to them is done to the way
 * there, or by their own faults.
 */
export interface Cluster {
  readonly database: string;
  readonly mongo: MongoSet;
  readonly redis: Readonly<Record<RedisName, OwnRedis>>;
  readonly apis: readonly Child[];
  readonly workers: readonly Child[];
  /** By `<from>><to>`: `client>api-1`, `worker-2>queue`, `workers>provider`. MongoDB's are in `mongo`. */
  readonly links: ReadonlyMap<string, FaultProxy>;
  /** Where clients find each API: past its proxy is nobody. */
  readonly apiUrls: readonly { readonly name: string; readonly url: string }[];
  readonly sandbox: Sandbox;
  readonly standIns: StandIns;
  readonly receiver: WebhookReceiver;
  readonly secrets: Secrets;
  readonly queuePrefix: string;
  readonly deaths: readonly Death[];
  readonly logFolder: string;
  readonly built: BuiltTree;
  nowMs(): number;
  versions(): Promise<{ readonly mongodb: string; readonly redis: string }>;
  close(): Promise<void>;
}

export type RedisName = 'queue' | 'core';

export interface OwnRedis {
  readonly server: LocalRedis;
  /** Past every proxy; commands wait while the server is away. */
  readonly admin: Redis;
  readonly folder: string;
}

interface Secrets {
  readonly apiKey: string;
  readonly adminPassword: string;
  /** Texts that no log may have. */
  readonly all: readonly string[];
}

export interface ClusterOptions {
  /** Of the sources that the processes run. */
  readonly tree: string;
  readonly folder: string;
  readonly log: Log;
  readonly random: Random;
  /** `quick`: leases of 3 s and sweeps twice a second, so that a repair takes seconds. */
  readonly timing: 'production' | 'quick';
  readonly workers?: number;
}

const APIS = 2;
const WORKERS = 3;
const REDIS_NAMES = ['queue', 'core'] as const;

export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { folder, log } = options;
  rmSync(folder, { recursive: true, force: true });
  const logFolder = join(folder, 'logs');
  mkdirSync(logFolder, { recursive: true });
  const watchdog = createWatchdog();
  const startedMs = performance.now();
  const nowMs = (): number => performance.now() - startedMs;
  const pids = new Map<number, string>();
  const random = options.random.fork('network');
  const built = buildTree(options.tree);
  const [mongo, redis, sandbox, standIns, receiver] = await Promise.all([
    startMongoSet({
      folder,
      log,
      watchdog,
      random: random.next,
      nameOfPid: (pid) => pids.get(pid),
    }),
    startBothRedis(folder, watchdog),
    startSandbox(),
    startStandIns(),
    startWebhookReceiver(nowMs),
  ]);
  const deaths: Death[] = [];
  const secrets = makeSecrets(standIns);
  const links = await openLinks({ redis, sandbox, standIns, receiver, random });
  const parts = { ...options, built, mongo, links, standIns, secrets, watchdog, logFolder };
  const children = await startChildren(parts, {
    onStart: (name, pid) => {
      pids.set(pid, name);
    },
    onDeath: (process, exit) => {
      deaths.push({ process, atMs: nowMs(), how: exitText(exit) });
    },
  });
  return Object.freeze({
    ...{ mongo, redis, sandbox, standIns, receiver, secrets, deaths, logFolder, built, nowMs },
    ...children,
    links,
    database: DATABASE,
    queuePrefix: QUEUE_PREFIX,
    versions: async () => {
      const info = await redis.queue.admin.info('server');
      const build = await (await mongo.primary()).command({ buildInfo: 1 });
      return {
        mongodb: String(build['version']),
        redis: /redis_version:(\S+)/.exec(info)?.[1] ?? '',
      };
    },
    close: async () => {
      for (const child of [...children.apis, ...children.workers]) child.kill();
      for (const { admin, server } of Object.values(redis)) {
        admin.disconnect();
        server.kill('SIGKILL');
        await server.stop();
      }
      await mongo.stop();
      await Promise.all([...links.values()].map((link) => link.close()));
      await Promise.all([sandbox.close(), standIns.close(), receiver.close()]);
      // Hundreds of megabytes; the logs stay.
      const data = readdirSync(folder).filter((name) => name !== 'logs');
      for (const name of data) rmSync(join(folder, name), { recursive: true, force: true });
    },
  });
}

const DATABASE = 'chaos';
const QUEUE_PREFIX = 'chaos';

function exitText({ code, signal }: ProcessExit): string {
  return signal ?? `exit ${String(code)}`;
}

function makeSecrets(standIns: StandIns): Secrets {
  const secret = randomBytes(24).toString('base64url');
  const adminPassword = randomBytes(12).toString('base64url');
  const { SMS_TOKEN, VAPID_PRIVATE_KEY } = standIns.env;
  return {
    apiKey: `slk_chaos_${secret}`,
    adminPassword,
    all: [secret, adminPassword, SMS_TOKEN ?? '', VAPID_PRIVATE_KEY ?? ''].filter(Boolean),
  };
}

async function startBothRedis(
  folder: string,
  watchdog: Watchdog,
): Promise<Readonly<Record<RedisName, OwnRedis>>> {
  const taken = new Set<number>();
  const start = async (name: RedisName): Promise<OwnRedis> => {
    const port = await pickPort([], taken);
    taken.add(port);
    const dataDir = join(folder, `redis-${name}`);
    const server = await startRedis({ dataDir, port, watchdog, log: () => undefined });
    const admin = new Redis(server.url, { retryStrategy: () => 100, maxRetriesPerRequest: null });
    admin.on('error', () => undefined); // while it is away
    return { server, admin, folder: dataDir };
  };
  return { queue: await start('queue'), core: await start('core') };
}

interface LinkTargets {
  readonly redis: Readonly<Record<RedisName, OwnRedis>>;
  readonly sandbox: Sandbox;
  readonly standIns: StandIns;
  readonly receiver: WebhookReceiver;
  readonly random: Random;
}

const processNames = (kind: 'api' | 'worker', count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${kind}-${String(index + 1)}`);

async function openLinks(targets: LinkTargets): Promise<Map<string, FaultProxy>> {
  const { redis, sandbox, standIns, receiver, random } = targets;
  const links = new Map<string, FaultProxy>();
  const open = async (name: string, target: number, host?: string): Promise<void> => {
    const options = { name, target, random: random.next };
    links.set(name, await startFaultProxy(host === undefined ? options : { ...options, host }));
  };
  for (const from of [...processNames('api', APIS), ...processNames('worker', WORKERS)]) {
    for (const name of REDIS_NAMES) await open(`${from}>${name}`, redis[name].server.port);
  }
  await open('workers>provider', portOf(sandbox.url));
  await open('workers>mail', portOf(standIns.mail.url));
  await open('workers>receiver', receiver.port, FLAKY_HOST);
  return links;
}

/** The way there may break; an address of its own, since breakers are per host. */
export const FLAKY_HOST = '127.0.0.2';

function portOf(url: string): number {
  return Number(new URL(url).port);
}

interface ChildrenParts extends ClusterOptions {
  readonly built: BuiltTree;
  readonly mongo: MongoSet;
  readonly links: Map<string, FaultProxy>;
  readonly standIns: StandIns;
  readonly secrets: Secrets;
  readonly watchdog: Watchdog;
  readonly logFolder: string;
}

interface ChildEvents {
  readonly onStart: (name: string, pid: number) => void;
  readonly onDeath: (name: string, exit: ProcessExit) => void;
}

async function startChildren(
  parts: ChildrenParts,
  events: ChildEvents,
): Promise<Pick<Cluster, 'apis' | 'workers' | 'apiUrls'>> {
  const { built, links, logFolder, log, watchdog, random } = parts;
  const deps = { built, logFolder, log, watchdog, ...events };
  const taken = new Set<number>();
  const start = async (name: string, script: string, portName: string): Promise<Child> => {
    const port = await pickPort([], taken);
    taken.add(port);
    const env = { ...environmentOf(name, parts), [portName]: String(port) };
    return startChildProcess({ name, script, port, env }, deps);
  };
  const [apiNames, workerNames] = [processNames('api', APIS), processNames('worker', WORKERS)];
  const apis: Child[] = [];
  // The first makes the collections; several at once would wait for each other.
  for (const name of apiNames) {
    const api = await start(name, 'api/main.ts', 'PORT');
    if (!(await api.waitUntilReady())) throw new Error(`${name} does not start: ${api.logFile}`);
    apis.push(api);
  }
  const script =
    parts.timing === 'quick' ? 'tests/chaos/fixtures/quick-worker.ts' : 'workers/main.ts';
  const workers: Child[] = [];
  for (const name of workerNames) workers.push(await start(name, script, 'WORKER_PORT'));
  await Promise.all(workers.map((worker) => worker.waitUntilReady()));
  const apiUrls: { name: string; url: string }[] = [];
  for (const { name, url } of apis) {
    const link = await startFaultProxy({
      name: `client>${name}`,
      target: portOf(url),
      random: random.fork(name).next,
    });
    links.set(link.name, link);
    apiUrls.push({ name, url: `http://127.0.0.1:${String(link.port)}` });
  }
  return { apis, workers, apiUrls };
}

function environmentOf(name: string, parts: ChildrenParts): Readonly<Record<string, string>> {
  const { mongo, links, standIns, secrets } = parts;
  const linkPort = (link: string): string => {
    const found = links.get(link);
    if (found === undefined) throw new Error(`there is no link ${link}`);
    return String(found.port);
  };
  const redisUrl = (server: RedisName): string =>
    `redis://127.0.0.1:${linkPort(`${name}>${server}`)}`;
  const core = redisUrl('core');
  return {
    ...standIns.env,
    NODE_ENV: 'test',
    LOG_LEVEL: 'info',
    MONGO_URL: mongo.url,
    MONGO_DB: DATABASE,
    QUEUE_PREFIX,
    REDIS_URL: core,
    REDIS_QUEUE_URL: redisUrl('queue'),
    REDIS_CORE_URL: core,
    REDIS_STATE_URL: core,
    REDIS_CACHE_URL: core,
    REDIS_PUB_URL: core,
    SANDBOX_URL: `http://127.0.0.1:${linkPort('workers>provider')}`,
    SMTP_URL: `smtp://127.0.0.1:${linkPort('workers>mail')}`,
    BOOTSTRAP_API_KEY: secrets.apiKey,
    ADMIN_PASSWORD: secrets.adminPassword,
  };
}
