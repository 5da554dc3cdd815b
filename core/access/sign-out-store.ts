import type { Db } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';

/** Sessions of operators that ended before their time, for every process that meets their cookie. */
export interface SignOutStore {
  add(session: EndedSession): Promise<void>;
  has(nonce: string): Promise<boolean>;
}

interface EndedSession {
  readonly nonce: string;
  /** Its cookie says nothing any more after this. */
  readonly endsAt: Date;
}

interface SignOutDoc {
  readonly _id: string;
  readonly endsAt: Date;
}

export function createSignOutStore(db: Db): SignOutStore {
  const signOuts = collection<SignOutDoc>(db, 'admin_sign_outs');
  return Object.freeze({
    add: async ({ nonce, endsAt }: EndedSession) => {
      await signOuts.updateOne({ _id: nonce }, { $setOnInsert: { endsAt } }, { upsert: true });
    },
    has: async (nonce: string) => {
      const options = { projection: { _id: 1 }, maxTimeMS: LIMITS.listMaxTimeMs };
      return (await signOuts.findOne({ _id: nonce }, options)) !== null;
    },
  });
}
