import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { startMongo, type LocalMongo } from './mongo.ts';
import { resolveMongod } from './mongod-binary.ts';
import { DataFolderInUseError, ownIdentity, readJsonFile, writeJsonFile } from './pid-file.ts';
import { isPortAnswering, pickPort } from './ports.ts';
import { isAlive } from './process-identity.ts';
import { resolveRedisBinary, startRedis, type LocalRedis } from './redis.ts';
import { runStep, type Log } from './report.ts';
import { createWatchdog, type Watchdog } from './watchdog.ts';

export type ServersOptions = {
  /** MONGO_URL and REDIS_URL are taken as they are when set. */
  readonly env: NodeJS.ProcessEnv;
  readonly dataDir: string;
  readonly log: Log;
  readonly members?: 1 | 3;
  /** `usual`: 27017 and 6379 when they are free. */
  readonly ports?: 'usual' | 'any';
  readonly cacheGb?: number;
  /** As in MongoOptions. */
  readonly historySeconds?: number;
  /** Start a server again when it dies by itself. */
  readonly restartOnCrash?: boolean;
  readonly watchdog?: Watchdog;
};

export type Servers = {
  readonly mongoUrl: string;
  readonly redisUrl: string;
  /** Only when it was started here. */
  readonly mongo: LocalMongo | undefined;
  readonly redis: LocalRedis | undefined;
  /** Stops what was started here, in good order, and keeps the data. */
  stop(): Promise<void>;
  /** Kills what was started here and removes the data folder. */
  discard(): Promise<void>;
};

const RECORD_FILE = 'servers.json';
const recordSchema = z.object({
  owner: z.object({ pid: z.int().positive(), startedAt: z.string() }),
  members: z.union([z.literal(1), z.literal(3)]),
  mongoUrl: z.string(),
  redisUrl: z.string(),
  ports: z.array(z.int()),
});

/** Installs or fetches what `ensureServers` would need, starts nothing, and says what it will use. */
export async function prepareServers(env: NodeJS.ProcessEnv, log: Log): Promise<readonly string[]> {
  // One after the other: both may need apt's lock.
  const redis = readUrl(env, 'REDIS_URL') ?? (await resolveRedisBinary(env, log));
  const mongo = readUrl(env, 'MONGO_URL') ?? (await resolveMongod(env, log)).path;
  return [redis, mongo];
}

/**
 * Gives a MongoDB replica set and a Redis: those that the environment names, else those that another
 * process has running on the same data folder, else its own.
 */
export async function ensureServers(options: ServersOptions): Promise<Servers> {
  const { env, log, members = 1 } = options;
  const folder = resolve(options.dataDir);
  const given = { mongoUrl: readUrl(env, 'MONGO_URL'), redisUrl: readUrl(env, 'REDIS_URL') };
  if (isComplete(given)) return bundle(given, {});
  const record = await findRunning(folder, members);
  if (record !== undefined) {
    log(`• MongoDB and Redis: using those of process ${String(record.owner.pid)}`);
    return bundle(preferFirst(given, record), {});
  }
  await prepareServers(env, log);
  const started = await startMissing(options, folder, given);
  const urls = preferFirst(given, { mongoUrl: started.mongo?.url, redisUrl: started.redis?.url });
  const ports = [
    ...(started.mongo?.members ?? []),
    ...(started.redis === undefined ? [] : [started.redis]),
  ];
  writeJsonFile(join(folder, RECORD_FILE), {
    owner: ownIdentity(),
    members,
    ...urls,
    ports: ports.map((server) => server.port),
  });
  return bundle(urls, { ...started, folder });
}

type Urls = { readonly mongoUrl: string; readonly redisUrl: string };
type MaybeUrls = { readonly [Name in keyof Urls]: string | undefined };

function isComplete(urls: MaybeUrls): urls is Urls {
  return urls.mongoUrl !== undefined && urls.redisUrl !== undefined;
}

function preferFirst(first: MaybeUrls, second: MaybeUrls): Urls {
  const urls = {
    mongoUrl: first.mongoUrl ?? second.mongoUrl,
    redisUrl: first.redisUrl ?? second.redisUrl,
  };
  if (!isComplete(urls)) throw new Error('a server was neither given nor started');
  return urls;
}

function readUrl(env: NodeJS.ProcessEnv, name: 'MONGO_URL' | 'REDIS_URL'): string | undefined {
  return env[name] === '' ? undefined : env[name];
}

/** What a living process, other than this one, has running on the folder; it will stop it itself. */
async function findRunning(
  folder: string,
  members: 1 | 3,
): Promise<z.infer<typeof recordSchema> | undefined> {
  const record = readJsonFile(join(folder, RECORD_FILE), recordSchema);
  if (record === undefined || record.owner.pid === process.pid) return undefined;
  if (!isAlive(record.owner)) return undefined;
  const answers = await Promise.all(record.ports.map(isPortAnswering));
  if (!answers.every(Boolean)) return undefined;
  if (record.members === members) return record;
  throw new DataFolderInUseError(
    `A replica set of ${String(record.members)} runs on ${folder}, not of ${String(members)}: ` +
      `stop process ${String(record.owner.pid)} first.`,
  );
}

type Started = { readonly mongo?: LocalMongo | undefined; readonly redis?: LocalRedis | undefined };

async function startMissing(
  options: ServersOptions,
  folder: string,
  given: MaybeUrls,
): Promise<Started> {
  // One watchdog for both, so that both go at the same moment.
  const shared = { ...options, watchdog: options.watchdog ?? createWatchdog() };
  const [mongo, redis] = await Promise.allSettled([
    given.mongoUrl === undefined ? startOwnMongo(shared, join(folder, 'mongo')) : undefined,
    given.redisUrl === undefined ? startOwnRedis(shared, join(folder, 'redis')) : undefined,
  ]);
  const started: Started = { mongo: valueOf(mongo), redis: valueOf(redis) };
  const failed = [mongo, redis].find((result) => result.status === 'rejected');
  if (failed === undefined) return started;
  // Neither may stay behind when the other cannot be had.
  await Promise.all([started.mongo?.stop(), started.redis?.stop()]);
  throw failed.reason;
}

function valueOf<T>(result: PromiseSettledResult<T>): T | undefined {
  return result.status === 'fulfilled' ? result.value : undefined;
}

async function startOwnMongo(options: ServersOptions, dataDir: string): Promise<LocalMongo> {
  const { env, log, members = 1, cacheGb, historySeconds, watchdog } = options;
  const { restartOnCrash = false } = options;
  const title =
    members === 1 ? 'MongoDB: starting' : `MongoDB: starting ${String(members)} members`;
  return runStep(log, title, async (note) => {
    const mongo = await startMongo({
      ...{ dataDir, members, env, log, restartOnCrash },
      ...(options.ports === 'any' ? { port: await pickPort([]) } : {}),
      ...(cacheGb === undefined ? {} : { cacheGb }),
      ...(historySeconds === undefined ? {} : { historySeconds }),
      ...(watchdog === undefined ? {} : { watchdog }),
    });
    note(`port ${mongo.members.map((member) => String(member.port)).join(', ')}`);
    return mongo;
  });
}

async function startOwnRedis(options: ServersOptions, dataDir: string): Promise<LocalRedis> {
  const { env, log, restartOnCrash = false, watchdog } = options;
  return runStep(log, 'Redis: starting', async (note) => {
    const redis = await startRedis({
      ...{ dataDir, env, log, restartOnCrash },
      ...(options.ports === 'any' ? { port: await pickPort([]) } : {}),
      ...(watchdog === undefined ? {} : { watchdog }),
    });
    note(`port ${String(redis.port)}`);
    return redis;
  });
}

function bundle(urls: Urls, own: Started & { readonly folder?: string }): Servers {
  const { mongo, redis, folder } = own;
  const forget = (): void => {
    if (folder !== undefined) rmSync(join(folder, RECORD_FILE), { force: true });
  };
  return Object.freeze({
    mongoUrl: urls.mongoUrl,
    redisUrl: urls.redisUrl,
    mongo,
    redis,
    stop: async () => {
      forget();
      await Promise.all([mongo?.stop(), redis?.stop()]);
    },
    discard: async () => {
      forget();
      redis?.kill('SIGKILL');
      await Promise.all([mongo?.discard(), redis?.stop()]);
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  });
}
