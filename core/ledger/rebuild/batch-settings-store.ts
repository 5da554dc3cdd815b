import type { ClientSession } from 'mongodb';
import { LEDGER_LIMITS } from '../../../config/ledger-limits.ts';
import { LIMITS } from '../../../config/limits.ts';
import { AppError } from '../../kernel/errors.ts';
import type { RebuildReads, SettledRequest } from './reads-store.ts';
import type { RebuildRules } from './rules.ts';
import type { PlacedSetting } from './settings.ts';
import { decidedAtOf } from './wallet-history.ts';

/** The settings of one tenant that were made inside batches, by user: no index leads to them. */
export interface BatchSettings {
  /** Of some users, as of the snapshot. */
  of(session: ClientSession, userIds: readonly string[]): Promise<readonly PlacedSetting[]>;
}

/** What ends while others are read is seen by the next look, whoever's clock it bears. */
const LOOK_BACK_MS = 2 * LIMITS.transactionMsMax;

export function createBatchSettings(
  { reads, rules }: { readonly reads: RebuildReads; readonly rules: RebuildRules },
  tenantId: string,
): BatchSettings {
  const byUser = new Map<string, PlacedSetting[]>();
  const known = new Set<string>();
  let count = 0;
  let until = 0;

  const take = (request: SettledRequest, at: Date): void => {
    for (const [index, setting] of rules.settingsOf(request).entries()) {
      const list = byUser.get(setting.userId) ?? [];
      byUser.set(setting.userId, list);
      list.push(placed(request, { setting, at, index }));
      count += 1;
    }
    if (count <= LEDGER_LIMITS.rebuildBatchSettingsMax) return;
    const detail = `Tenant ${tenantId} has more settings inside batches than are kept in memory`;
    throw new AppError('ledger_unavailable', detail);
  };

  const readNew = async (session: ClientSession): Promise<void> => {
    const since = new Date(Math.max(0, until - LOOK_BACK_MS));
    const types = rules.settingTypes;
    for await (const request of reads.batches(session, tenantId, { since, types })) {
      if (known.has(request._id)) continue;
      known.add(request._id);
      const ended = request.completedAt ?? request.createdAt;
      until = Math.max(until, ended.getTime());
      // Its entries may be older than its end, and then bear the time of its decision.
      const first = `${request._id}.1`;
      const entry = (await reads.entries(session, [first])).get(first);
      take(request, entry === undefined ? ended : decidedAtOf(entry));
    }
  };

  return Object.freeze({
    of: async (session: ClientSession, userIds: readonly string[]) => {
      await readNew(session);
      return userIds.flatMap((userId) => byUser.get(userId) ?? []);
    },
  });
}

export function placed(
  { _id: operationId, stamp }: Pick<SettledRequest, '_id' | 'stamp'>,
  rest: Pick<PlacedSetting, 'setting' | 'at' | 'index'>,
): PlacedSetting {
  return { ...rest, operationId, stamp: typeof stamp === 'bigint' ? stamp : stamp.toBigInt() };
}
