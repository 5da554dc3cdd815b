import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { canUseApt, installPackages } from './apt.ts';
import { resolveCacheFolder } from './cache.ts';
import { findOnPath, runCommand } from './commands.ts';
import { LOCAL_HOST, pickPort } from './ports.ts';
import { runStep, type Log } from './report.ts';
import {
  claimServerFolder,
  extendServer,
  startServer,
  type LocalServer,
} from './server-process.ts';
import { createWatchdog, type Watchdog } from './watchdog.ts';

export type RedisOptions = {
  readonly dataDir: string;
  readonly log: Log;
  readonly env?: NodeJS.ProcessEnv;
  /** Without it 6379 when that is free, else any free port. */
  readonly port?: number;
  readonly appendonly?: boolean;
  /** As Redis writes it, such as `256mb`. Nothing is ever evicted: a full server refuses writes. */
  readonly maxmemory?: string;
  /** Further `redis.conf` settings, last so that they win. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly restartOnCrash?: boolean;
  readonly watchdog?: Watchdog;
};

export type LocalRedis = LocalServer & { readonly url: string };

export const REDIS_DEFAULT_PORT = 6379;
const PING_TIMEOUT_MS = 2_000;
const VERSION_TIMEOUT_MS = 10_000;
/** Debian's server without the service that the package redis-server would start: one binary, two names. */
const DEBIAN_PACKAGE = 'redis-tools';
const DEBIAN_BINARY = '/usr/bin/redis-check-rdb';

/**
 * Finds `redis-server`, or installs it where that needs nobody's consent: as root on Debian.
 * @returns a path that can be executed as it is, for Sentinel and Cluster mode too.
 */
export async function resolveRedisBinary(env: NodeJS.ProcessEnv, log: Log): Promise<string> {
  const found = findOnPath('redis-server', env) ?? (await findLinked(env));
  if (found !== undefined) return found;
  const advice =
    'install it (Debian: `sudo apt-get install redis-server`, macOS: `brew install redis`), ' +
    'or set REDIS_URL to a running one.';
  if (!canUseApt(env)) throw new Error(`Redis was not found: ${advice}`);
  return runStep(log, 'Redis: installing with apt-get', async () => {
    await installPackages([DEBIAN_PACKAGE], env).catch((error: unknown) => {
      throw new Error(`Redis could not be installed: ${advice}`, { cause: error });
    });
    const linked = findOnPath('redis-server', env) ?? (await linkDebianBinary(env));
    if (linked === undefined) {
      throw new Error(`Redis is not in Debian's package ${DEBIAN_PACKAGE} as expected: ${advice}`);
    }
    return linked;
  });
}

function linkPath(env: NodeJS.ProcessEnv): string {
  return join(resolveCacheFolder(env), 'bin', 'redis-server');
}

async function findLinked(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  return existsSync(linkPath(env)) && (await isRedisServer(linkPath(env)))
    ? linkPath(env)
    : undefined;
}

async function linkDebianBinary(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const link = linkPath(env);
  mkdirSync(join(link, '..'), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(DEBIAN_BINARY, link);
  return (await isRedisServer(link)) ? link : undefined;
}

/** The binary acts by the name that it is called by, so this asks the name and not the file. */
async function isRedisServer(path: string): Promise<boolean> {
  const result = await runCommand(path, ['--version'], { timeoutMs: VERSION_TIMEOUT_MS }).catch(
    () => undefined,
  );
  return result?.stdout.startsWith('Redis server') === true;
}

/** Resolves once the server answers, with its data loaded. */
export async function startRedis(options: RedisOptions): Promise<LocalRedis> {
  const env = options.env ?? process.env;
  const command = await resolveRedisBinary(env, options.log);
  const folder = resolve(options.dataDir);
  await claimServerFolder(folder, 'Redis', options.log);
  const port = options.port ?? (await pickPort([REDIS_DEFAULT_PORT]));
  const server = await startServer({
    name: 'Redis',
    folder,
    port,
    command,
    args: listArguments(folder, port, options),
    env,
    log: options.log,
    watchdog: options.watchdog ?? createWatchdog(),
    restartOnCrash: options.restartOnCrash ?? false,
    isReady: async () => isRedisReady(port),
    // SIGTERM, which follows, is Redis' own way: it writes its files to the end and goes.
    askToStop: async () => Promise.resolve(),
  });
  return extendServer(server, { url: `redis://${LOCAL_HOST}:${String(port)}` });
}

function listArguments(folder: string, port: number, options: RedisOptions): string[] {
  const settings: Record<string, string> = {
    bind: LOCAL_HOST,
    port: String(port),
    dir: folder,
    appendonly: options.appendonly === false ? 'no' : 'yes',
    // Snapshots would add a second persistence beside the append-only file, for nothing.
    save: '',
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
    ...(options.maxmemory === undefined ? {} : { maxmemory: options.maxmemory }),
    ...options.settings,
  };
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
}

/** While it still loads its data a server answers `-LOADING`, and that is not ready. */
async function isRedisReady(port: number): Promise<boolean> {
  return new Promise((resolvePromise) => {
    const socket = connect({ port, host: LOCAL_HOST, timeout: PING_TIMEOUT_MS });
    const finish = (isReady: boolean): void => {
      socket.destroy();
      resolvePromise(isReady);
    };
    socket.setEncoding('utf8');
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (reply: string) => {
      finish(reply.startsWith('+PONG'));
    });
    socket.once('timeout', () => {
      finish(false);
    });
    socket.once('error', () => {
      finish(false);
    });
  });
}
