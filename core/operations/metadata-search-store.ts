import type { Collection, Document, ReadPreference } from 'mongodb';
import { LIMITS } from '../../config/limits.ts';
import { USER_FIELDS } from '../events/event-users.ts';
import type { OperationFilter } from './operation-filter.ts';
import type { OperationDoc } from './operation.ts';

/** Words count as equally frequent above this. */
const COUNT_MAX = 1_000;
/** The index of metadata: by tenant and word, newest first. Of what has none it has nothing. */
const HINT = { tenantId: 1, 'metadata.$**': 1, _id: -1 } as const;

type Word = readonly [key: string, value: string];

interface Search {
  readonly tenantId: string;
  readonly filter: OperationFilter;
  readonly ids: Document;
  readonly limit: number;
  readonly projection: Document;
  readonly readPreference: ReadPreference;
}

/**
 * Operations by words of their metadata, newest first, out of the index for the rarest of the words.
 * What else is asked of them is asked of what that brings: with a second condition beside it the
 * server (7.0) would go through all words of the tenant instead.
 */
export async function searchByMetadata(
  operations: Collection<OperationDoc>,
  { tenantId, filter, ids, limit, projection, readPreference }: Search,
): Promise<readonly OperationDoc[]> {
  const options = { maxTimeMS: LIMITS.listMaxTimeMs, hint: HINT, readPreference };
  const words = Object.entries(filter.metadata ?? {});
  const queryOf = ([key, value]: Word): Document => ({
    tenantId,
    [`metadata.${key}`]: value,
    metadata: { $exists: true },
    ...(Object.keys(ids).length > 0 && { _id: ids }),
  });
  const countOf = (word: Word): Promise<number> =>
    operations.countDocuments(queryOf(word), { ...options, limit: COUNT_MAX });
  const counts = words.length === 1 ? [0] : await Promise.all(words.map(countOf));
  const rarest = words[counts.indexOf(Math.min(...counts))] ?? ['', ''];
  const others = [
    ...words
      .filter((word) => word !== rarest)
      .map(([key, value]) => equal(`metadata.${key}`, value)),
    ...conditionsOf(filter),
  ];
  return operations
    .aggregate<OperationDoc>(
      [
        { $match: queryOf(rarest) },
        { $sort: { _id: -1 } },
        // Worked out first, so that it stays a condition of its own.
        ...(others.length === 0
          ? []
          : [{ $set: { fits: { $and: others } } }, { $match: { fits: true } }, { $unset: 'fits' }]),
        { $limit: limit },
        { $project: projection },
      ],
      options,
    )
    .toArray();
}

function conditionsOf({ type, status, userId }: OperationFilter): Document[] {
  return [
    ...(type === undefined ? [] : [equal('type', type)]),
    ...(status === undefined ? [] : [equal('status', status)]),
    ...(userId === undefined
      ? []
      : [{ $or: USER_FIELDS.map((field) => equal(`input.${field}`, userId)) }]),
  ];
}

function equal(path: string, value: string): Document {
  return { $eq: [`$${path}`, { $literal: value }] };
}
