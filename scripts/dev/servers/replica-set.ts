import { MongoClient, MongoServerError, type Db, type Document } from 'mongodb';
import { z } from 'zod';
import { isPortAnswering, LOCAL_HOST, waitUntil } from './ports.ts';

export type ReplicaSetPlan = {
  readonly name: string;
  readonly ports: readonly number[];
  readonly settings: Document;
};

const configSchema = z.looseObject({
  members: z.array(z.looseObject({ _id: z.number(), host: z.string() })),
});
const statusSchema = z.looseObject({
  members: z.array(z.looseObject({ name: z.string(), state: z.number() })),
});

/** MongoDB's own numbers, since its error texts change from version to version. */
const NOT_YET_INITIALIZED = 94;
const ALREADY_INITIALIZED = 23;
const PRIMARY = 1;
const SECONDARY = 2;
const COMMAND_TIMEOUT_MS = 10_000;
/** A member that was stopped by a signal accepts connections and never answers. */
const HELLO_TIMEOUT_MS = 1_500;
const FORM_TIMEOUT_MS = 90_000;
const POLL_EVERY_MS = 50;

export function formatMongoUrl(name: string, ports: readonly number[]): string {
  return `mongodb://${ports.map(formatHost).join(',')}/?replicaSet=${name}`;
}

function formatHost(port: number): string {
  return `${LOCAL_HOST}:${String(port)}`;
}

/** Runs something on one member, in whatever state it is. Throws when it does not answer in time. */
export async function withMember<T>(
  port: number,
  work: (admin: Db) => Promise<T>,
  timeoutMs: number = COMMAND_TIMEOUT_MS,
): Promise<T> {
  // The driver would go on trying to reach a dead member until its time is over.
  if (!(await isPortAnswering(port))) throw new Error(`nothing answers on port ${String(port)}`);
  const client = new MongoClient(`mongodb://${formatHost(port)}/`, {
    directConnection: true,
    serverSelectionTimeoutMS: timeoutMs,
    connectTimeoutMS: timeoutMs,
    socketTimeoutMS: timeoutMs,
  });
  try {
    await client.connect();
    return await work(client.db('admin'));
  } finally {
    await client.close();
  }
}

/** Forms the set out of fresh members; a set that exists already stays as it is. */
export async function ensureReplicaSet(plan: ReplicaSetPlan): Promise<void> {
  const [firstPort] = plan.ports;
  if (firstPort === undefined) throw new Error('a replica set needs a member');
  await withMember(firstPort, async (admin) => {
    const config = await readConfig(admin);
    if (config === undefined) await initiate(admin, plan);
    else checkMembers(config, plan.ports);
  });
}

type Config = z.infer<typeof configSchema>;

function checkSize(config: Config, ports: readonly number[]): void {
  if (config.members.length === ports.length) return;
  throw new Error(
    `the data was made by a set of ${String(config.members.length)}, not of ` +
      `${String(ports.length)}: use another data folder, or remove that one`,
  );
}

function checkMembers(config: Config, ports: readonly number[]): void {
  checkSize(config, ports);
  const hosts = config.members.map((member) => member.host);
  if (hosts.join() !== ports.map(formatHost).join()) throw new MovedMembersError(hosts.join(', '));
}

/** The data names other addresses than the members have: they would look for each other in vain. */
export class MovedMembersError extends Error {
  override readonly name = 'MovedMembersError';
}

/**
 * Gives the members new addresses in the data of one of them, which has to run outside the set. A
 * reconfiguration by force would be less work, but members first ask who is at the old addresses, and
 * a stranger that holds such a port without answering then keeps the set from a primary for minutes.
 */
export async function readdress(port: number, ports: readonly number[]): Promise<void> {
  await withMember(port, async (admin) => {
    const configs = admin.client.db('local').collection('system.replset');
    const found = await configs.findOne();
    // Killed before it was ever part of a set.
    if (found === null) return;
    const config = configSchema.parse(found);
    checkSize(config, ports);
    const members = config.members.map((member, index) => ({
      ...member,
      host: formatHost(ports[index] ?? 0),
    }));
    await configs.updateOne({ _id: found._id }, { $set: { members } });
  });
}

async function readConfig(admin: Db): Promise<Config | undefined> {
  try {
    const reply = await admin.command({ replSetGetConfig: 1 });
    return configSchema.parse(reply['config']);
  } catch (error) {
    if (error instanceof MongoServerError && error.code === NOT_YET_INITIALIZED) return undefined;
    throw error;
  }
}

async function initiate(admin: Db, plan: ReplicaSetPlan): Promise<void> {
  const members = plan.ports.map((port, index) => ({ _id: index, host: formatHost(port) }));
  try {
    await admin.command({
      replSetInitiate: { _id: plan.name, members, settings: plan.settings },
    });
  } catch (error) {
    if (error instanceof MongoServerError && error.code === ALREADY_INITIALIZED) return;
    throw error;
  }
}

/** Each member's state as the member on `port` sees it. */
async function readStates(port: number): Promise<ReadonlyMap<string, number>> {
  return withMember(port, async (admin) => {
    const status = statusSchema.parse(await admin.command({ replSetGetStatus: 1 }));
    return new Map(status.members.map((member) => [member.name, member.state]));
  });
}

/** The port of the member that says of itself that it is the primary and may be written to. */
async function findPrimary(ports: readonly number[]): Promise<number | undefined> {
  const answers = ports.map(async (port) => {
    const sayHello = async (admin: Db): Promise<Document> => admin.command({ hello: 1 });
    const hello = await withMember(port, sayHello, HELLO_TIMEOUT_MS);
    if (hello['isWritablePrimary'] !== true) throw new Error('not the primary');
    return port;
  });
  return Promise.any(answers).catch(() => undefined);
}

/** Waits for a primary among members of which some may be dead. */
export async function waitForPrimary(ports: readonly number[], timeoutMs: number): Promise<number> {
  let primary: number | undefined;
  const hasPrimary = async (): Promise<boolean> => {
    primary = await findPrimary(ports);
    return primary !== undefined;
  };
  await waitUntil(hasPrimary, { timeoutMs, everyMs: POLL_EVERY_MS });
  if (primary !== undefined) return primary;
  throw new Error(`the replica set has no primary after ${String(timeoutMs / 1000)} s`);
}

/** Waits until every member is the primary or a secondary that has caught up. */
export async function waitForAllMembers(ports: readonly number[]): Promise<void> {
  const primary = await waitForPrimary(ports, FORM_TIMEOUT_MS);
  if (ports.length === 1) return;
  const areAllUp = async (): Promise<boolean> => {
    const states = await readStates(primary).catch(() => new Map<string, number>());
    return ports.every((port) => {
      const state = states.get(formatHost(port));
      return state === PRIMARY || state === SECONDARY;
    });
  };
  if (await waitUntil(areAllUp, { timeoutMs: FORM_TIMEOUT_MS, everyMs: POLL_EVERY_MS })) return;
  throw new Error(`not all members joined within ${String(FORM_TIMEOUT_MS / 1000)} s`);
}
