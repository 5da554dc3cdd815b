import type { Collection, Db } from 'mongodb';
import { LIMITS } from '../../../config/limits.ts';
import { collection } from '../../infra/collections.ts';
import { duplicatesOf, faultOf } from '../../infra/database-errors.ts';
import { noneFails } from '../../kernel/every.ts';
import type { DeliveryDoc, DeliveryId, DigestItem } from './delivery.ts';
import { alikeOf, lateStatementOf, statementOf } from './delivery-statements.ts';
import type { DeliveryWrite } from './delivery-write.ts';

/** A delivery as it is, and when it was read by the database's clock. */
export interface SeenDelivery {
  readonly delivery: DeliveryDoc;
  readonly now: Date;
}

interface ClaimRequest {
  readonly ids: readonly DeliveryId[];
  /** Unique to this call. */
  readonly owner: string;
  readonly leaseMs: number;
}

export interface DeliveryStore {
  /** The ones that were not there before; repeating it inserts nothing. */
  insert(deliveries: readonly DeliveryDoc[]): Promise<readonly DeliveryDoc[]>;
  /** Adds an event to a digest that is still being gathered, once. False: it is closed. */
  gather(digest: DeliveryDoc, item: DigestItem): Promise<boolean>;
  look(ids: readonly DeliveryId[]): Promise<readonly SeenDelivery[]>;
  /** Those of them that are due and were free; everybody else's claim misses. */
  claim(request: ClaimRequest): Promise<ReadonlySet<string>>;
  /** False: some of them missed (another worker has taken over); the others are written. */
  write(writes: readonly DeliveryWrite[]): Promise<boolean>;
}

export function createDeliveryStore(db: Db): DeliveryStore {
  const deliveries = collection<DeliveryDoc>(db, 'deliveries');
  const options = { maxTimeMS: LIMITS.mongoMaxTimeMs };
  return Object.freeze({
    insert: async (docs) => {
      const fresh: DeliveryDoc[] = [];
      for (const part of insertsOf(docs)) fresh.push(...(await insertSome(deliveries, part)));
      return fresh;
    },
    gather: async (digest, item) => {
      const { items: _items, ...fresh } = digest;
      const { _id } = digest;
      const { eventId } = item;
      const shown = `items.${LIMITS.digestItemsMax - 1}`;
      const open = { _id, status: 'pending', 'items.eventId': { $ne: eventId } } as const;
      try {
        await deliveries.updateOne(
          { ...open, [shown]: { $exists: false } },
          { $setOnInsert: omitId(fresh), $push: { items: item } },
          { upsert: true },
        );
        return true;
      } catch (error) {
        if (faultOf(error) !== 'duplicate-key') throw error;
      }
      // It is there and did not match: it shows no more, has the event already, or has been closed.
      const last = `more.${LIMITS.digestMoreMax - 1}`;
      const counted = await deliveries.updateOne(
        { ...open, more: { $ne: eventId }, [shown]: { $exists: true }, [last]: { $exists: false } },
        { $push: { more: eventId } },
      );
      if (counted.matchedCount > 0) return true;
      const has = { _id, $or: [{ 'items.eventId': eventId }, { more: eventId }] };
      return (await deliveries.countDocuments(has, { ...options, limit: 1 })) > 0;
    },
    look: async (ids) => {
      const found = await deliveries
        .aggregate<DeliveryDoc & { readonly seenAt: Date }>(
          [{ $match: { _id: { $in: [...ids] } } }, { $set: { seenAt: '$$NOW' } }],
          options,
        )
        .toArray();
      return found.map(({ seenAt, ...delivery }) => ({ delivery, now: seenAt }));
    },
    claim: async ({ ids, owner, leaseMs }) => {
      const until = { $add: ['$$NOW', leaseMs] };
      const claimed = await deliveries.updateMany(
        {
          _id: { $in: [...ids] },
          status: 'pending',
          $expr: { $lte: [{ $ifNull: ['$notBefore', '$$NOW'] }, '$$NOW'] },
        },
        [{ $set: { status: 'sending', owner, leaseUntil: until, nextCheckAt: until } }],
      );
      if (claimed.matchedCount === ids.length) return new Set(ids);
      const ours = await deliveries
        .find({ _id: { $in: [...ids] }, owner }, { ...options, projection: { _id: 1 } })
        .toArray();
      return new Set(ours.map(({ _id }) => _id));
    },
    write: async (writes) => {
      const written = await Promise.all(
        alikeOf(writes).map(async (alike) => {
          const { filter, update } = statementOf(alike);
          const { matchedCount } = await deliveries.updateMany(filter, update);
          if (matchedCount === alike.length) return true;
          const late = lateStatementOf(alike);
          if (late !== undefined) await deliveries.updateMany(late.filter, late.update);
          return false;
        }),
      );
      return noneFails(written, (isComplete) => isComplete);
    },
  } satisfies DeliveryStore);
}

/** So many, and so much, at a time. */
function insertsOf(docs: readonly DeliveryDoc[]): readonly (readonly DeliveryDoc[])[] {
  const parts: DeliveryDoc[][] = [];
  let chars = 0;
  for (const doc of docs) {
    const part = parts.at(-1);
    const size = charsIn(doc);
    const isFull =
      part === undefined ||
      part.length >= LIMITS.deliveryInsertMax ||
      chars + size > LIMITS.deliveryInsertCharsMax;
    chars = isFull ? size : chars + size;
    if (isFull) parts.push([doc]);
    else part.push(doc);
  }
  return parts;
}

function charsIn({ content, data }: DeliveryDoc): number {
  const texts = [content?.subject, content?.text, content?.html, ...Object.values(data)];
  return texts.reduce<number>((sum, one) => sum + (typeof one === 'string' ? one.length : 0), 0);
}

async function insertSome(
  deliveries: Collection<DeliveryDoc>,
  docs: readonly DeliveryDoc[],
): Promise<readonly DeliveryDoc[]> {
  try {
    await deliveries.insertMany([...docs], { ordered: false });
    return docs;
  } catch (error) {
    const known = duplicatesOf(error);
    return docs.filter((_doc, index) => !known.has(index));
  }
}

function omitId({ _id, ...rest }: Omit<DeliveryDoc, 'items'>): object {
  return rest;
}
