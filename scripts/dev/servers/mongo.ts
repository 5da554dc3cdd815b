import { existsSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { startMember, type MemberOptions, type MongoMember } from './mongo-member.ts';
import { resolveMongod } from './mongod-binary.ts';
import { readJsonFile, writeJsonFile } from './pid-file.ts';
import { pickPort } from './ports.ts';
import {
  ensureReplicaSet,
  formatMongoUrl,
  MovedMembersError,
  readdress,
  waitForAllMembers,
  waitForPrimary,
} from './replica-set.ts';
import type { Log } from './report.ts';
import { claimServerFolder } from './server-process.ts';
import { createWatchdog, type Watchdog } from './watchdog.ts';

export type MongoOptions = {
  readonly dataDir: string;
  readonly members: 1 | 3;
  readonly log: Log;
  readonly env?: NodeJS.ProcessEnv;
  /** The first member's, the others' follow it. Without it the last start's, else 27017, else any. */
  readonly port?: number;
  readonly replSet?: string;
  readonly electionTimeoutMs?: number;
  /** Allows `configureFailPoint` and its like. */
  readonly enableTestCommands?: boolean;
  readonly cacheGb?: number;
  /**
   * How long the server can read as of an earlier time. So long it also keeps the files of dropped
   * collections open: with its own 300 s, a database per test adds up to more files than wine can open.
   */
  readonly historySeconds?: number;
  readonly restartOnCrash?: boolean;
  readonly watchdog?: Watchdog;
};

export type LocalMongo = {
  readonly url: string;
  readonly members: readonly MongoMember[];
  /** Resolves with the member that is the primary, as soon as there is one among those alive. */
  waitForPrimary(timeoutMs?: number): Promise<MongoMember>;
  /** Resolves when every member is the primary or a secondary that has caught up. */
  waitForAllMembers(): Promise<void>;
  /** Stops all in good order and keeps the data. */
  stop(): Promise<void>;
  /** Kills all and removes the data: the quick end of a test. */
  discard(): Promise<void>;
};

const MONGO_DEFAULT_PORT = 27017;
const PORTS_FILE = 'ports.json';
const portsSchema = z.object({ ports: z.array(z.int()) });
const PRIMARY_TIMEOUT_MS = 60_000;
/** One server of a developer's machine, and three that share it, or one beside a test suite. */
const CACHE_GB_ALONE = 1;
const CACHE_GB_SHARED = 0.25;
/** MongoDB's own ten seconds would make every failover test wait for so long. */
const ELECTION_TIMEOUT_MS_OF_THREE = 3_000;
const HEARTBEAT_MS_MIN = 200;

function parametersOf({ enableTestCommands, historySeconds }: MongoOptions) {
  return {
    ...(enableTestCommands === true && { enableTestCommands: '1' }),
    ...(historySeconds !== undefined && {
      minSnapshotHistoryWindowInSeconds: String(historySeconds),
    }),
  };
}

/** Resolves once the set has a primary and, with three members, all have caught up. */
export async function startMongo(options: MongoOptions): Promise<LocalMongo> {
  const env = options.env ?? process.env;
  const replSet = options.replSet ?? 'rs0';
  const folder = resolve(options.dataDir);
  const binary = await resolveMongod(env, options.log);
  const places = listPlaces(folder, options.members);
  for (const place of places) await claimServerFolder(place.folder, place.name, options.log);
  const ports = await choosePorts(folder, options);
  const common = {
    binary,
    cacheGb: options.cacheGb ?? (options.members === 1 ? CACHE_GB_ALONE : CACHE_GB_SHARED),
    parameters: parametersOf(options),
    env,
    log: options.log,
    watchdog: options.watchdog ?? createWatchdog(),
    restartOnCrash: options.restartOnCrash ?? false,
  };
  const specs = places.map((place, index) => ({ ...common, ...place, port: ports[index] ?? 0 }));
  await settlePorts(folder, ports, specs);
  const members = await startAll(specs.map((spec) => ({ ...spec, replSet })));
  try {
    await ensureReplicaSet({ name: replSet, ports, settings: chooseSettings(options) });
    await waitForAllMembers(ports);
  } catch (error) {
    await stopAll(members);
    if (!(error instanceof MovedMembersError)) throw error;
    // A copied or restored folder, whose file of ports is not that of its data.
    writeJsonFile(join(folder, PORTS_FILE), { ports: [] });
    return startMongo(options);
  }
  return createHandle(members, replSet, folder);
}

function listPlaces(folder: string, members: 1 | 3): readonly { name: string; folder: string }[] {
  return Array.from({ length: members }, (_, index) => ({
    name: members === 1 ? 'MongoDB' : `MongoDB member ${String(index)}`,
    folder: join(folder, `member-${String(index)}`),
  }));
}

function createHandle(
  members: readonly MongoMember[],
  replSet: string,
  folder: string,
): LocalMongo {
  const ports = members.map((member) => member.port);
  return Object.freeze({
    url: formatMongoUrl(replSet, ports),
    members,
    waitForPrimary: async (timeoutMs = PRIMARY_TIMEOUT_MS) => {
      const port = await waitForPrimary(ports, timeoutMs);
      const found = members.find((member) => member.port === port);
      if (found === undefined) throw new Error(`no member has the port ${String(port)}`);
      return found;
    },
    waitForAllMembers: async () => {
      await waitForAllMembers(ports);
    },
    stop: async () => {
      await stopAll(members);
    },
    discard: async () => {
      await Promise.all(members.map(async (member) => member.discard()));
      rmSync(folder, { recursive: true, force: true });
    },
  });
}

/** When one member fails to start, the others must not stay behind. */
async function startAll(specs: readonly MemberOptions[]): Promise<readonly MongoMember[]> {
  const results = await Promise.allSettled(specs.map(async (spec) => startMember(spec)));
  const started = results.flatMap((result) =>
    result.status === 'fulfilled' ? [result.value] : [],
  );
  const failed = results.find((result) => result.status === 'rejected');
  if (failed === undefined) return started;
  await stopAll(started);
  throw failed.reason;
}

async function stopAll(members: readonly MongoMember[]): Promise<void> {
  await Promise.all(members.map(async (member) => member.stop()));
}

function chooseSettings(options: MongoOptions): Readonly<Record<string, number>> {
  const electionMs =
    options.electionTimeoutMs ?? (options.members === 3 ? ELECTION_TIMEOUT_MS_OF_THREE : undefined);
  if (electionMs === undefined) return {};
  return {
    electionTimeoutMillis: electionMs,
    heartbeatIntervalMillis: Math.max(HEARTBEAT_MS_MIN, Math.floor(electionMs / 4)),
  };
}

/** The ports of the last start first: with them nothing has to be changed in the data. */
async function choosePorts(folder: string, options: MongoOptions): Promise<readonly number[]> {
  const last = readPorts(folder);
  const chosen = new Set<number>();
  for (let index = 0; index < options.members; index += 1) {
    const preferred = [...last.slice(index, index + 1), MONGO_DEFAULT_PORT + index];
    const given = options.port === undefined ? undefined : options.port + index;
    chosen.add(given ?? (await pickPort(preferred, chosen)));
  }
  return [...chosen];
}

function readPorts(folder: string): readonly number[] {
  return readJsonFile(join(folder, PORTS_FILE), portsSchema)?.ports ?? [];
}

/** Makes the data agree with the ports. The file says what is in the data, or nothing while in doubt. */
async function settlePorts(
  folder: string,
  ports: readonly number[],
  specs: readonly MemberOptions[],
): Promise<void> {
  const file = join(folder, PORTS_FILE);
  if (readPorts(folder).join() === ports.join()) return;
  writeJsonFile(file, { ports: [] });
  // A member that never ran has no data to change.
  const old = specs.filter((spec) => existsSync(join(spec.folder, 'db', 'WiredTiger')));
  const members = await startAll(old);
  try {
    for (const member of members) await readdress(member.port, ports);
  } finally {
    await stopAll(members);
  }
  writeJsonFile(file, { ports });
}
