import { createHash } from 'node:crypto';
import type { Db } from 'mongodb';
import { LIMITS } from '../../../config/limits.ts';
import { collection } from '../../infra/collections.ts';
import { AppError } from '../../kernel/errors.ts';

/** What came of a replay. */
export interface Replay {
  readonly matched: number;
  readonly replayed: number;
  /** False: there are more than one request replays; `after` is where the next one goes on. */
  readonly isComplete: boolean;
  readonly after?: string;
}

/** A write of a person that was asked for under a key, and what was answered. */
interface RepeatDoc {
  /** From tenant, kind of write and key. */
  readonly _id: string;
  readonly tenantId: string;
  readonly requestHash: string;
  /** Chosen by the first request for all of its repeats. */
  readonly seed: string;
  readonly reply?: Replay;
  /** They are forgotten a month later. */
  readonly createdAt: Date;
}

export type WriteKind = 'resend' | 'replay' | 'test' | 'template';

interface Asked {
  readonly kind: WriteKind;
  readonly key: string;
  /** All that makes it the same request. */
  readonly request: string;
  readonly seed?: string;
  readonly now: Date;
}

/** What is known of a request: `token` marks what it has done, so that a repeat leaves that alone. */
export interface Known {
  readonly token: string;
  readonly seed: string;
  readonly reply?: Replay;
}

export interface RepeatStore {
  /** @throws AppError `idempotency_conflict` when the key was used for another request. */
  open(asked: Asked): Promise<Known>;
  close(token: string, reply: Replay): Promise<void>;
}

export function createRepeatStore(db: Db, tenantId: string): RepeatStore {
  const repeats = collection<RepeatDoc>(db, 'notification_repeats');
  return Object.freeze({
    open: async ({ kind, key, request, seed = '', now }: Asked) => {
      const _id = tokenOf([tenantId, kind, key]);
      const requestHash = createHash('sha256').update(request).digest('base64url');
      const stands = await repeats.findOneAndUpdate(
        { _id },
        { $setOnInsert: { tenantId, requestHash, seed, createdAt: now } },
        { upsert: true, returnDocument: 'after', maxTimeMS: LIMITS.listMaxTimeMs },
      );
      if (stands === null || stands.requestHash === requestHash) {
        const { reply } = stands ?? {};
        const known = { token: _id, seed: stands?.seed ?? seed };
        return reply === undefined ? known : { ...known, reply };
      }
      const detail = 'The key was used for another request; use a key of its own for each';
      throw new AppError('idempotency_conflict', detail);
    },
    close: async (token: string, reply: Replay) => {
      await repeats.updateOne({ _id: token }, { $set: { reply } });
    },
  } satisfies RepeatStore);
}

function tokenOf(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 32);
}
