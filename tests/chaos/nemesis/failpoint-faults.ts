import type { Document } from 'mongodb';
import type { Cluster } from '../cluster/cluster.ts';
import type { FaultKind, Strike } from './fault-kind.ts';

/**
 * MongoDB's own `failCommand`: exact errors at exact commands. `closeConnection` does not run the
 * command; a `writeConcernError` does.
 */
async function failing(cluster: Cluster, data: Document, mode: unknown): Promise<Strike> {
  let struck = 0;
  const configure = async (how: unknown): Promise<readonly Document[]> => {
    const order = { configureFailPoint: 'failCommand', mode: how, data };
    return Promise.all(
      cluster.mongo.members.map(
        ({ command }) => command(order).catch(() => ({ count: 0 })), // a member that is away has none
      ),
    );
  };
  const before = await configure(mode);
  return {
    strikes: () => struck,
    isCountedAtEnd: true,
    heal: async () => {
      struck = struckBetween(before, await configure('off'));
    },
  };
}

/** The answers say how often each was entered since the member started, which it may have done anew. */
export function struckBetween(before: readonly Document[], after: readonly Document[]): number {
  return after.reduce((sum, answer, member) => {
    const [now, then] = [countOf(answer), countOf(before[member])];
    return sum + (now < then ? now : now - then);
  }, 0);
}

function countOf(answer: Document | undefined): number {
  const count: unknown = answer?.['count'];
  return typeof count === 'number' ? count : 0;
}

const WRITES = ['insert', 'update', 'findAndModify', 'bulkWrite'];
const NOT_PRIMARY = 10_107;
const INTERRUPTED = 11_602;
const WRITE_CONCERN_FAILED = 64;
const SHUTTING_DOWN = 91;
const RETRYABLE = { errorLabels: ['RetryableWriteError'] };

type Row = readonly [name: string, summary: string, data: Document, mode: unknown];

const sometimes = { activationProbability: 0.3 };

const ROWS: readonly Row[] = [
  [
    'fail-insert-closed',
    'the connection closes at an insert, which is not done',
    { failCommands: ['insert'], closeConnection: true },
    sometimes,
  ],
  [
    'fail-insert-unacknowledged',
    'inserts are done, and no majority acknowledges them',
    {
      failCommands: ['insert'],
      writeConcernError: {
        code: WRITE_CONCERN_FAILED,
        errmsg: 'waiting for replication timed out',
      },
    },
    sometimes,
  ],
  [
    'fail-insert-shutdown',
    'inserts are done, and the member says that it is shutting down',
    {
      failCommands: ['insert'],
      writeConcernError: { code: SHUTTING_DOWN, errmsg: 'shutting down', ...RETRYABLE },
    },
    sometimes,
  ],
  [
    'fail-insert-not-primary',
    'inserts are refused: not primary',
    { failCommands: ['insert'], errorCode: NOT_PRIMARY, ...RETRYABLE },
    sometimes,
  ],
  [
    'fail-write-interrupted',
    'writes are refused: interrupted by a change of the primary',
    { failCommands: WRITES, errorCode: INTERRUPTED, ...RETRYABLE },
    sometimes,
  ],
  [
    'fail-write-closed',
    'the connection closes at a write, which is not done',
    { failCommands: WRITES, closeConnection: true },
    sometimes,
  ],
  [
    'fail-commit-closed',
    'the connection closes at a commit, which is not done',
    { failCommands: ['commitTransaction'], closeConnection: true },
    sometimes,
  ],
  [
    'fail-commit-unknown',
    'commits are done, and no majority acknowledges them',
    {
      failCommands: ['commitTransaction'],
      writeConcernError: {
        code: WRITE_CONCERN_FAILED,
        errmsg: 'waiting for replication timed out',
      },
    },
    sometimes,
  ],
  [
    'fail-find-closed',
    'the connection closes at a read',
    { failCommands: ['find', 'aggregate', 'getMore'], closeConnection: true },
    sometimes,
  ],
  [
    'slow-writes',
    'every write takes 1.5 s longer, until the pools are exhausted',
    { failCommands: [...WRITES, 'commitTransaction'], blockConnection: true, blockTimeMS: 1_500 },
    'alwaysOn',
  ],
];

export const FAILPOINT_FAULTS: readonly FaultKind[] = ROWS.map(([name, summary, data, mode]) => ({
  name,
  summary,
  covers: [name === 'slow-writes' ? 'F28' : 'F16'],
  targets: ['all'],
  claims: () => ['failpoint'],
  seconds: [3, 8] as const,
  strike: ({ cluster }) => failing(cluster, data, mode),
}));
