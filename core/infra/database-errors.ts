import { MongoBulkWriteError, MongoError, MongoServerError } from 'mongodb';
import { AppError } from '../kernel/errors.ts';

/** What a failed database call means for the one who made it. */
export type DatabaseFault =
  /** Nothing was written, or it is unknown: the transaction may simply be run again. */
  | 'transient'
  /** The commit may or may not have happened: commit again, or look. */
  | 'commit-unknown'
  /** The server cannot be reached or has no primary: wait. */
  | 'unavailable'
  | 'duplicate-key'
  | 'other';

const DUPLICATE_KEY = 11_000;
const MAX_TIME_EXPIRED = 50;

/** By class name, since several of the driver's connection errors share no public ancestor. */
const UNAVAILABLE: ReadonlySet<string> = new Set([
  'MongoNetworkError',
  'MongoNetworkTimeoutError',
  'MongoServerSelectionError',
  'MongoWaitQueueTimeoutError',
  'MongoPoolClearedError',
  'MongoPoolClosedError',
  'MongoTopologyClosedError',
  'MongoNotConnectedError',
  'MongoWriteConcernError',
  'MongoOperationTimeoutError',
]);

/** Not primary, shutting down, interrupted by a step-down: the retryable codes of the driver spec. */
const UNAVAILABLE_CODES: ReadonlySet<number> = new Set([
  6, 7, 64, 89, 91, 189, 262, 9001, 10_107, 11_600, 11_602, 13_435, 13_436,
]);

/**
 * Out of time, out of disk, not (or no longer) allowed: the surroundings' fault. The same work may
 * succeed once they are mended, so it is tried again, in smaller parts, and never parked for it.
 */
const SURROUNDINGS_CODES: ReadonlySet<number> = new Set([13, 18, 50, 14_031]);

export function faultOf(error: unknown): DatabaseFault {
  if (!(error instanceof MongoError)) return 'other';
  if (error.hasErrorLabel('UnknownTransactionCommitResult')) return 'commit-unknown';
  if (UNAVAILABLE.has(error.name)) return 'unavailable';
  const byCode = faultOfCode(error);
  if (error.hasErrorLabel('TransientTransactionError')) {
    return byCode === 'unavailable' ? byCode : 'transient';
  }
  const isServers = error instanceof MongoServerError || error instanceof MongoBulkWriteError;
  return isServers ? byCode : 'other';
}

function faultOfCode({ code }: MongoError): DatabaseFault {
  if (typeof code !== 'number') return 'other';
  if (code === DUPLICATE_KEY) return 'duplicate-key';
  if (UNAVAILABLE_CODES.has(code)) return 'unavailable';
  return SURROUNDINGS_CODES.has(code) ? 'transient' : 'other';
}

/** The one normaliser of what a database call throws. AppErrors pass through. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const fault = faultOf(error);
  if (fault === 'unavailable' || fault === 'transient' || fault === 'commit-unknown') {
    return new AppError('ledger_unavailable', 'The database did not answer; try again', {
      cause: error,
      retryAfterSeconds: 1,
    });
  }
  if (error instanceof MongoServerError && error.code === MAX_TIME_EXPIRED) {
    return new AppError('timeout', 'The query took too long; narrow it, or try again', {
      cause: error,
      retryAfterSeconds: 1,
    });
  }
  return new AppError('internal', 'Something went wrong on our side', { cause: error });
}
