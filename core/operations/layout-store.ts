import type { ClientSession, Db } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { collection } from '../infra/collections.ts';
import { headsOf } from './lane-heads.ts';
import { gapsBeside, layoutOf } from './lane-layout.ts';
import type { OperationDoc, Stamp } from './operation.ts';

/** An operation as whoever stands behind it sees it. */
export type LineHead = Pick<OperationDoc, '_id' | 'stamp'>;

/** What the lanes of several layouts are asked. */
export interface LayoutStore {
  /** The layouts, beside some, in whose lanes something is still to be settled. */
  open(besides: readonly number[], session?: ClientSession): Promise<readonly number[]>;
  /** The oldest operations of some lines that are still to be settled in one lane. */
  heads(
    lane: number,
    lines: readonly string[],
    session?: ClientSession,
  ): Promise<ReadonlyMap<string, LineHead>>;
}

export function createLayoutStore(db: Db): LayoutStore {
  const operations = collection<OperationDoc>(db, 'operations');
  const maxTimeMS = LIMITS.mongoMaxTimeMs;
  return Object.freeze({
    open: async (besides: readonly number[], session?: ClientSession) => {
      const found: number[] = [];
      // One look at an index for each layout that is there, and one that finds no more.
      while (found.length <= LIMITS.lanesEver) {
        const $or = gapsBeside([...besides, ...found]).map((lane) => ({ lane }));
        const one = await operations.findOne<Pick<OperationDoc, 'lane'>>(
          { status: 'accepted', $or },
          {
            ...(session !== undefined && { session }),
            ...{ maxTimeMS, projection: { lane: 1 }, hint: { lane: 1, stamp: 1, _id: 1 } },
          },
        );
        if (one?.lane === undefined) break;
        found.push(layoutOf(one.lane));
      }
      return found;
    },
    heads: async (lane: number, lines: readonly string[], session?: ClientSession) => {
      const found = await operations
        .aggregate<Head>(headsOf(lane, lines, ['stamp']), {
          ...(session !== undefined && { session }),
          maxTimeMS,
        })
        .toArray();
      return new Map(found.map(({ _id, id, stamp }) => [_id, { _id: id, stamp }]));
    },
  } satisfies LayoutStore);
}

interface Head {
  readonly _id: string;
  readonly id: OperationDoc['_id'];
  readonly stamp: Stamp;
}
