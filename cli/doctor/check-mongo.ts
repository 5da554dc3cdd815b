import { COLLECTIONS } from '../../core/infra/collections.ts';
import { type Mongo, openMongo } from '../../core/infra/mongo.ts';
import { AppError } from '../../core/kernel/errors.ts';
import { lookAtMongo } from '../../core/infra/server-sight.ts';
import { type CheckResult, fine, isAtLeast, problem, unknown, warning } from './check.ts';

const MONGO_MIN = [7, 0] as const;
const LIFETIME_SECONDS_MAX = 15;
const SKEW_MS = { warning: 1_000, problem: 5_000 } as const;
const DISK_FREE = { warning: 0.2, problem: 0.1 } as const;

/** MongoDB as this machine reaches it. Never throws. */
export async function checkMongo(url: string, database: string): Promise<readonly CheckResult[]> {
  let mongo: Mongo;
  try {
    mongo = await openMongo({ url, database, appName: 'sluice-doctor' });
  } catch (error) {
    const detail = error instanceof AppError ? error.detail : 'it does not answer';
    const remedy = 'Is it started, is MONGO_URL right, and may this machine reach it?';
    return [problem('mongodb', { detail, remedy })];
  }
  try {
    const looks = [version, replicaSet, majority, lifetime, clock, indexes, disk];
    const results = await Promise.all(
      looks.map((look) =>
        look(mongo).catch((error: unknown) =>
          unknown(look.name, `not allowed to look, or no answer: ${messageOf(error)}`),
        ),
      ),
    );
    return results.flat();
  } finally {
    await mongo.close();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 200) : 'unknown';
}

async function version({ db }: Mongo): Promise<CheckResult> {
  const { version: found = '' } = (await db.command({ buildInfo: 1 })) as { version?: string };
  if (isAtLeast(found, MONGO_MIN)) return fine('mongodb', `MongoDB ${found}`);
  const remedy = 'Upgrade to MongoDB 7.0 or later.';
  return problem('mongodb', { detail: `MongoDB ${found} is older than 7.0.`, remedy });
}

async function replicaSet({ db }: Mongo): Promise<CheckResult> {
  const { setName, isPrimary } = await lookAtMongo(db);
  if (setName === '') {
    const detail = 'It is no replica set, so it has no transactions.';
    return problem('replica-set', { detail, remedy: 'Start it with --replSet and rs.initiate().' });
  }
  if (isPrimary) return fine('replica-set', `${setName} has a primary`);
  const remedy = `Add ?replicaSet=${setName} to MONGO_URL, without directConnection.`;
  return problem('replica-set', { detail: 'The server that answers is no primary.', remedy });
}

async function majority({ db }: Mongo): Promise<CheckResult> {
  const { members, setName } = await lookAtMongo(db);
  if (setName === '') return unknown('majority', 'there is no replica set');
  if (members >= 3) return fine('majority', `${members} members: one may be lost`);
  const detail = `${members} member${members === 1 ? '' : 's'}: the loss of one stops everything.`;
  return warning('majority', { detail, remedy: 'Have three members, on machines of their own.' });
}

async function lifetime({ client }: Mongo): Promise<CheckResult> {
  const name = 'transactionLifetimeLimitSeconds';
  const reply = await client.db('admin').command({ getParameter: 1, [name]: 1 });
  const seconds = Number(Reflect.get(reply, name));
  if (seconds <= LIFETIME_SECONDS_MAX) return fine('transaction-lifetime', `${seconds} s`);
  return warning('transaction-lifetime', {
    detail: `A killed worker's transaction holds its wallets for ${seconds} s.`,
    remedy: `db.adminCommand({ setParameter: 1, ${name}: ${LIFETIME_SECONDS_MAX} }) on every member.`,
  });
}

async function clock({ db }: Mongo): Promise<CheckResult> {
  const sentMs = Date.now();
  const { localTime } = await lookAtMongo(db);
  const ourMs = (sentMs + Date.now()) / 2;
  return skewOf('clock-mongodb', localTime.getTime() - ourMs);
}

/** Pure. How far another clock is from ours. */
export function skewOf(name: string, skewMs: number): CheckResult {
  const apartMs = Math.round(Math.abs(skewMs));
  const detail = `its clock is ${apartMs} ms ${skewMs > 0 ? 'ahead of' : 'behind'} ours`;
  if (apartMs < SKEW_MS.warning) return fine(name, detail);
  const trouble = { detail: `${detail}.`, remedy: 'Run NTP (chrony) on all machines.' };
  return apartMs < SKEW_MS.problem ? warning(name, trouble) : problem(name, trouble);
}

interface StoredIndex {
  readonly name: string;
  readonly key: object;
  readonly unique?: boolean;
  readonly partialFilterExpression?: object;
  readonly expireAfterSeconds?: number;
}

type IndexShape = Omit<StoredIndex, 'name'>;

/** Those that are missing, and those that nobody here has asked for. */
async function indexes({ db }: Mongo): Promise<readonly CheckResult[]> {
  const there = await db.listCollections({}, { nameOnly: true }).toArray();
  const names = new Set(there.map(({ name }) => name));
  if (names.size === 0) {
    return [unknown('indexes', 'the database is empty: processes create what they need')];
  }
  const results: CheckResult[] = [];
  for (const [name, { indexes: wanted }] of Object.entries(COLLECTIONS)) {
    if (!names.has(name)) {
      const remedy = 'Start any process of ours: it creates what is missing.';
      results.push(problem('indexes', { detail: `The collection ${name} is missing.`, remedy }));
      continue;
    }
    const stored = (await db.collection(name).listIndexes().toArray()) as StoredIndex[];
    results.push(...comparedIndexes(name, wanted, stored));
  }
  return results.length > 0 ? results : [fine('indexes', 'all of them are there')];
}

/** Pure. */
export function comparedIndexes(
  name: string,
  wanted: readonly IndexShape[],
  stored: readonly StoredIndex[],
): readonly CheckResult[] {
  const shapes = new Set(wanted.map(shapeOf));
  const found = new Set(stored.map(shapeOf));
  const missing = wanted.filter((one) => !found.has(shapeOf(one)));
  const extra = stored.filter((one) => one.name !== '_id_' && !shapes.has(shapeOf(one)));
  return [
    ...missing.map((one) =>
      problem('indexes', {
        detail: `${name} lacks the index ${JSON.stringify(one.key)}.`,
        remedy: 'Start any process of ours: it creates what is missing.',
      }),
    ),
    ...extra.map((one) =>
      warning('indexes', {
        detail: `${name} has the index ${one.name}, which nothing here needs.`,
        remedy: `db.${name}.dropIndex(${JSON.stringify(one.name)}), unless it is somebody's.`,
      }),
    ),
  ];
}

/** Without its name, which a server makes up. */
function shapeOf(index: IndexShape): string {
  const { key, unique = false, partialFilterExpression, expireAfterSeconds } = index;
  const numbers = (_name: string, value: unknown): unknown =>
    typeof value === 'bigint' ? Number(value) : value;
  const parts = [Object.entries(key), unique, partialFilterExpression, expireAfterSeconds];
  return JSON.stringify(parts, numbers);
}

async function disk({ db }: Mongo): Promise<CheckResult> {
  const stats = await db.command({ dbStats: 1 });
  const total = Number(Reflect.get(stats, 'fsTotalSize'));
  const used = Number(Reflect.get(stats, 'fsUsedSize'));
  if (!(total > 0)) return unknown('disk-mongodb', 'the server does not say');
  return freeOf('disk-mongodb', (total - used) / total);
}

/** Pure. By the share of a disk that is free. */
export function freeOf(name: string, share: number): CheckResult {
  const detail = `${Math.floor(share * 100)} % of its disk is free`;
  if (share > DISK_FREE.warning) return fine(name, detail);
  const trouble = { detail: `${detail}.`, remedy: 'Make room, or give it a larger disk.' };
  return share > DISK_FREE.problem ? warning(name, trouble) : problem(name, trouble);
}
