import { join } from 'node:path';
import { type Db, type Document, MongoClient } from 'mongodb';
import { type MongoMember, startMember } from '../../../scripts/dev/servers/mongo-member.ts';
import { resolveMongod } from '../../../scripts/dev/servers/mongod-binary.ts';
import { pickPort, waitUntil } from '../../../scripts/dev/servers/ports.ts';
import { waitForPrimary, withMember } from '../../../scripts/dev/servers/replica-set.ts';
import type { Log } from '../../../scripts/dev/servers/report.ts';
import type { Watchdog } from '../../../scripts/dev/servers/watchdog.ts';
import { type FaultProxy, startFaultProxy } from '../fault-proxy.ts';
import { createCallerNames } from './mongo-callers.ts';
import { allOf } from '../../../core/kernel/every.ts';

/**
 * Three members, each reached through a proxy, by clients and by each other: the configuration of
 * the set names the proxies' addresses. The proxies tell callers apart by what a connection says of
 * itself first (`mongo-callers.ts`), so a fault may be clients' alone, or members'.
 */
export interface MongoSet {
  /** What clients are given: the proxies. */
  readonly url: string;
  readonly members: readonly Member[];
  /** Its index, by asking the members themselves, past the proxies. */
  primary(timeoutMs?: number): Promise<Member>;
  waitForAll(): Promise<void>;
  stop(): Promise<void>;
}

export interface Member {
  readonly index: number;
  readonly server: MongoMember;
  readonly proxy: FaultProxy;
  /** A command on this very member, past its proxy. */
  command(command: Document, timeoutMs?: number): Promise<Document>;
}

interface SetOptions {
  readonly folder: string;
  readonly log: Log;
  readonly watchdog: Watchdog;
  readonly random: () => number;
  /** The names of processes, by pid, for the callers of a proxy. */
  readonly nameOfPid: (pid: number) => string | undefined;
}

const NAME = 'chaos';
const MEMBERS = 3;
const CACHE_GB = 0.25;
const ELECTION_MS = 2_000;
const HEARTBEAT_MS = 500;
const FORM_MS = 90_000;
const COMMAND_MS = 5_000;
const PARAMETERS = {
  enableTestCommands: '1',
  // No transaction of the platform lives longer than 15 s.
  minSnapshotHistoryWindowInSeconds: '60',
};

export async function startMongoSet(options: SetOptions): Promise<MongoSet> {
  const { folder, log, watchdog, random } = options;
  const binary = await resolveMongod(process.env, log);
  const ports: number[] = [];
  while (ports.length < MEMBERS) ports.push(await pickPort([], new Set(ports)));
  const nameCaller = createCallerNames(ports, options.nameOfPid);
  const members = await Promise.all(
    ports.map(async (port, index): Promise<Member> => {
      const name = `mongo-${String(index)}`;
      const proxy = await startFaultProxy({ name, target: port, nameCaller, random });
      const server = await startMember({
        name,
        folder: join(folder, name),
        port,
        replSet: NAME,
        binary,
        cacheGb: CACHE_GB,
        parameters: PARAMETERS,
        env: process.env,
        log,
        watchdog,
        restartOnCrash: false,
      });
      const command = (document: Document, timeoutMs = COMMAND_MS): Promise<Document> =>
        withMember(port, (admin: Db) => admin.command(document), timeoutMs);
      return { index, server, proxy, command };
    }),
  );
  await initiate(members);
  const set: MongoSet = {
    url: `mongodb://${members.map(addressOf).join(',')}/?replicaSet=${NAME}`,
    members,
    primary: async (timeoutMs = 30_000) => {
      const port = await waitForPrimary(ports, timeoutMs);
      const found = members.find(({ server }) => server.port === port);
      if (found === undefined) throw new Error(`no member has the port ${String(port)}`);
      return found;
    },
    waitForAll: () => waitForAll(members),
    stop: async () => {
      await Promise.all(members.map(({ server }) => server.discard()));
      await Promise.all(members.map(({ proxy }) => proxy.close()));
    },
  };
  await set.waitForAll();
  return Object.freeze(set);
}

function addressOf({ proxy }: Member): string {
  return `127.0.0.1:${String(proxy.port)}`;
}

async function initiate(members: readonly Member[]): Promise<void> {
  const [first] = members;
  await first?.command(
    {
      replSetInitiate: {
        _id: NAME,
        members: members.map((member) => ({ _id: member.index, host: addressOf(member) })),
        settings: {
          electionTimeoutMillis: ELECTION_MS,
          heartbeatIntervalMillis: HEARTBEAT_MS,
          catchUpTimeoutMillis: 5_000,
        },
      },
    },
    FORM_MS,
  );
}

const UP: ReadonlySet<unknown> = new Set([1, 2]); // primary, secondary

/** Every member says of itself that it is the primary or a secondary, and there is a primary. */
async function waitForAll(members: readonly Member[]): Promise<void> {
  const areUp = async (): Promise<boolean> => {
    const states = await Promise.all(
      members.map(async (member) => {
        const status = await member.command({ replSetGetStatus: 1 }).catch(() => undefined);
        return status?.['myState'] as unknown;
      }),
    );
    return allOf(states, (state) => UP.has(state)) && states.includes(1);
  };
  if (await waitUntil(areUp, { timeoutMs: FORM_MS, everyMs: 200 })) return;
  throw new Error(`not all members of the set came up within ${String(FORM_MS / 1_000)} s`);
}

/** A client that reads from one member, past its proxy. */
export function openDirect(member: Member): MongoClient {
  return new MongoClient(`mongodb://127.0.0.1:${String(member.server.port)}/`, {
    directConnection: true,
    appName: 'chaos-reader',
    serverSelectionTimeoutMS: COMMAND_MS,
    socketTimeoutMS: 60_000,
    readPreference: 'secondaryPreferred',
    maxPoolSize: 4,
  });
}
