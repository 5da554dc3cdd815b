import type { ClientSession, Collection, Db } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { SERVICE_CONFIG_LIMITS } from '../../config/service-config-limits.ts';
import { collection } from '../infra/collections.ts';
import { readDatabaseTime } from '../infra/database-clock.ts';
import { faultOf } from '../infra/database-errors.ts';
import { TRANSACTION } from '../infra/mongo.ts';
import { AppError } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import {
  type ChangeAction,
  type ConfigHistoryDoc,
  type ConfigValues,
  HEAD_ID,
  type HeadDoc,
  type SettingChange,
} from './config-document.ts';
import { type ValueChange, decideChange } from './decide-change.ts';
import { type ConfigScope, scopeKeyOf } from './scope.ts';
import type { Overrides } from './settings.ts';
import { type Loaded, loadedFrom } from './loaded.ts';

export interface ChangeRequest extends ValueChange {
  readonly scope: ConfigScope;
  readonly author: string;
  readonly reason: string;
  /** Instead of `set` and `unset`: everything as it was at that version; 0: nothing set. */
  readonly toVersion?: number;
  readonly expectedVersion?: number;
  readonly isDryRun?: boolean;
  /** Of the request: repeating it changes nothing more. */
  readonly request?: { readonly key: string; readonly hash: string };
}

export interface Changed {
  readonly scope: ConfigScope;
  readonly version: number;
  readonly changes: readonly SettingChange[];
  readonly values: ConfigValues;
  /** Nothing was different, or this was a rehearsal: nothing was stored. */
  readonly isStored: boolean;
}

export interface ConfigStore {
  /** All documents as they stand, by one read of the index on ids. */
  readAll(): Promise<readonly unknown[]>;
  /** The last good values of a scope. */
  lastGood(scopeKey: string): Promise<ConfigHistoryDoc | undefined>;
  /** Makes the change, or throws what `decideChange` throws and leaves everything as it is. */
  change(request: ChangeRequest): Promise<Changed>;
  at(scopeKey: string, version: number): Promise<ConfigHistoryDoc | undefined>;
  /** The latest first. */
  history(query: HistoryQuery): Promise<readonly ConfigHistoryDoc[]>;
}

export interface HistoryQuery {
  readonly scopeKey?: string;
  /** Those of one tenant. */
  readonly tenant?: string;
  readonly after?: string;
  readonly limit: number;
}

type StoredHistory = ConfigHistoryDoc & { readonly tenantId?: string };

export function createConfigStore(db: Db, environment: Overrides = new Map()): ConfigStore {
  const configs = collection<{ _id: string }>(db, 'service_configs');
  const heads = collection<HeadDoc>(db, 'service_configs');
  const past = collection<StoredHistory>(db, 'service_config_history');
  const options = { maxTimeMS: LIMITS.listMaxTimeMs };

  const readAll = async (session?: ClientSession): Promise<readonly unknown[]> =>
    configs
      .find(
        { _id: { $ne: HEAD_ID } },
        {
          maxTimeMS: SERVICE_CONFIG_LIMITS.pollMaxTimeMs,
          ...(session !== undefined && { session }),
        },
      )
      .sort({ _id: 1 })
      .limit(SERVICE_CONFIG_LIMITS.scopesMax + 1)
      .toArray();
  const latest = async (scopeKey: string, session?: ClientSession) => {
    const found = await past.findOne(
      { scopeKey },
      { ...options, sort: { version: -1 }, ...(session !== undefined && { session }) },
    );
    return found ?? undefined;
  };
  const repeatOf = async (requestKey: string, session: ClientSession) =>
    past.findOne({ requestKey }, { ...options, session });
  const at = async (scopeKey: string, version: number) =>
    (await past.findOne({ scopeKey, version }, options)) ?? undefined;

  const make = async (session: ClientSession, request: ChangeRequest, now: Date) => {
    const { scope, toVersion, request: asked } = request;
    const made = asked === undefined ? null : await repeatOf(asked.key, session);
    if (made !== null) return repeated(made, asked?.hash);
    // Two changes at a time meet here: what each decides rests on all of the configuration.
    await heads.updateOne({ _id: HEAD_ID }, { $inc: { revision: 1 } }, { session });
    const scopeKey = scopeKeyOf(scope);
    const last = await latest(scopeKey, session);
    const loaded = await goodOnes(await readAll(session), (key) => latest(key, session));
    const version = versionOf(loaded, scopeKey, last);
    const change =
      toVersion === undefined ? request : await wayBack(scopeKey, toVersion, loaded.stored);
    const { values, changes } = decideChange(change, {
      ...{ scope, version, stored: loaded.stored, environment },
      expectedVersion: request.expectedVersion,
    });
    refuseTooMany(loaded.stored, scopeKey);
    const isMended = loaded.invalid.some((one) => one.scopeKey === scopeKey);
    const isStored = request.isDryRun !== true && (changes.length > 0 || isMended);
    const changed = { scope, changes, values, isStored };
    if (!isStored) return { ...changed, version };
    const next = version + 1;
    await past.insertOne(lineOf(request, { version: next, changes, values, now }), { session });
    const { author, reason } = request;
    const doc = { scope, version: next, values, author, reason, updatedAt: now };
    await configs.replaceOne({ _id: scopeKey }, doc, { upsert: true, session });
    return { ...changed, version: next };
  };

  const wayBack = async (
    scopeKey: string,
    toVersion: number,
    stored: Overrides,
  ): Promise<ValueChange> => {
    const then = toVersion === 0 ? { values: {} } : await at(scopeKey, toVersion);
    if (then === undefined) {
      throw new AppError('not_found', `There is no version ${String(toVersion)} of ${scopeKey}`);
    }
    const now = Object.keys(stored.get(scopeKey) ?? {});
    return { set: then.values, unset: now.filter((name) => !Object.hasOwn(then.values, name)) };
  };

  return Object.freeze({
    readAll: () => readAll(),
    lastGood: (scopeKey: string) => latest(scopeKey),
    at,
    change: async (request: ChangeRequest) => {
      const { now } = await readDatabaseTime(db);
      await ensureHead(heads);
      return db.client.withSession((session) =>
        session.withTransaction(async () => {
          const changed = await make(session, request, now);
          // A rehearsal leaves nothing behind, not even the count.
          if (!changed.isStored) await session.abortTransaction();
          return changed;
        }, TRANSACTION),
      );
    },
    history: async ({ scopeKey, tenant, after, limit }: HistoryQuery) =>
      past
        .find(
          {
            ...(scopeKey !== undefined && { scopeKey }),
            ...(tenant !== undefined && { tenantId: tenant }),
            ...(after !== undefined && { _id: { $lt: after } }),
          },
          options,
        )
        .sort(scopeKey === undefined ? { _id: -1 } : { version: -1 })
        .limit(limit)
        .toArray(),
  } satisfies ConfigStore);
}

/** Two that create it inside transactions would both fail. */
async function ensureHead(heads: Collection<HeadDoc>): Promise<void> {
  try {
    await heads.updateOne({ _id: HEAD_ID }, { $setOnInsert: { revision: 0 } }, { upsert: true });
  } catch (error) {
    if (faultOf(error) !== 'duplicate-key') throw error;
  }
}

/** Documents that are not good stand for what they were when they last were. */
async function goodOnes(
  raw: readonly unknown[],
  lastGood: (scopeKey: string) => Promise<ConfigHistoryDoc | undefined>,
): Promise<Loaded> {
  const first = loadedFrom(raw, new Map());
  const before = new Map<string, ConfigValues>();
  for (const { scopeKey } of first.invalid) {
    const last = await lastGood(scopeKey);
    if (last !== undefined) before.set(scopeKey, last.values);
  }
  return loadedFrom(raw, before);
}

/** A document that somebody has removed or set back does not take a number that was there already. */
function versionOf(
  { versions }: Loaded,
  scopeKey: string,
  last: Pick<ConfigHistoryDoc, 'version'> | undefined,
): number {
  return Math.max(versions.get(scopeKey) ?? 0, last?.version ?? 0);
}

interface Made {
  readonly version: number;
  readonly changes: readonly SettingChange[];
  readonly values: ConfigValues;
  readonly now: Date;
}

function lineOf(change: ChangeRequest, { version, changes, values, now }: Made): StoredHistory {
  const { scope, author, reason, request } = change;
  return {
    _id: newId('cfg'),
    scopeKey: scopeKeyOf(scope),
    ...{ scope, version, action: actionOf(change), changes, values, author, reason, at: now },
    ...(scope.tenant !== undefined && { tenantId: scope.tenant }),
    ...(request !== undefined && { requestKey: request.key, requestHash: request.hash }),
  };
}

function actionOf({ toVersion, set }: ChangeRequest): ChangeAction {
  if (toVersion !== undefined) return 'rollback';
  return Object.keys(set).length > 0 ? 'set' : 'unset';
}

function repeated(made: ConfigHistoryDoc, hash: string | undefined): Changed {
  if (made.requestHash !== hash) {
    throw new AppError('idempotency_conflict', 'The key was used for another change');
  }
  const { scope, version, changes, values } = made;
  return { scope, version, changes, values, isStored: true };
}

function refuseTooMany(stored: Overrides, scopeKey: string): void {
  const max = SERVICE_CONFIG_LIMITS.scopesMax;
  if (stored.has(scopeKey) || stored.size < max) return;
  throw new AppError(
    'limit_reached',
    `Settings of ${String(max)} scopes are as many as there may be`,
  );
}
