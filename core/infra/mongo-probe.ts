import type { Db } from 'mongodb';
import { AppError } from '../kernel/errors.ts';

/** Resolves when a primary answers that it takes writes; throws what is wrong otherwise. */
export async function probeMongo(db: Db): Promise<void> {
  const reply: { readonly isWritablePrimary?: boolean } = await db
    .command({ hello: 1 }, { readPreference: 'primary' })
    .catch((cause: unknown) => {
      throw new AppError('ledger_unavailable', 'no primary answers', { cause });
    });
  if (reply.isWritablePrimary !== true) {
    throw new AppError('ledger_unavailable', 'the server that answers is not a writable primary');
  }
}
