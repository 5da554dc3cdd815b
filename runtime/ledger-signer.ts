import { randomBytes } from 'node:crypto';
import type { Db } from 'mongodb';
import type { Env } from '../config/env.ts';
import { controlDatabaseOf } from '../core/infra/control-database.ts';
import { createMarkStore } from '../core/ledger/marks-store.ts';
import { type Signer, createSigner } from '../core/ledger/proof/note.ts';

const MARK = 'ledger.log-key';
const KEY_BYTES = 32;

type LogEnv = Pick<Env, 'LEDGER_LOG_KEY' | 'LEDGER_LOG_NAME' | 'NODE_ENV'>;

/**
 * What signs checkpoints of the log. Outside production a key that nobody has given is made once and
 * kept in the database; in production there is none, and nothing is sealed.
 */
export function createLedgerSigner(db: Db, env: LogEnv): () => Promise<Signer | undefined> {
  const { LEDGER_LOG_KEY: given, LEDGER_LOG_NAME: name } = env;
  let known: Signer | undefined;
  return async () => {
    if (known !== undefined) return known;
    if (given !== undefined) {
      known = createSigner(name, Buffer.from(given, 'base64'));
    } else if (env.NODE_ENV !== 'production') {
      known = createSigner(name, Buffer.from(await keptKey(db), 'base64'));
    }
    return known;
  };
}

async function keptKey(db: Db): Promise<string> {
  const marks = createMarkStore(controlDatabaseOf(db));
  const fresh = { key: randomBytes(KEY_BYTES).toString('base64') };
  return (await marks.setFirst<typeof fresh>(MARK, fresh)).key;
}
