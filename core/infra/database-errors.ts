import {
  MongoBulkWriteError,
  MongoError,
  MongoNetworkError,
  MongoServerError,
  MongoSystemError,
} from 'mongodb';
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
  'MongoWaitQueueTimeoutError',
  'MongoPoolClosedError',
  'MongoTopologyClosedError',
  'MongoServerClosedError',
  'MongoClientClosedError',
  'MongoNotConnectedError',
  'MongoExpiredSessionError', // the client was closed under it
  'MongoStalePrimaryError',
  'MongoUnexpectedServerResponseError', // the server that took over mid-call is no primary
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

export function faultOf(thrown: unknown): DatabaseFault {
  if (thrown instanceof AppError) {
    return thrown.code === 'ledger_unavailable' ? 'unavailable' : 'other';
  }
  const error = seenThrough(thrown);
  if (!(error instanceof MongoError)) return faultOfBare(error, thrown);
  if (error.hasErrorLabel('UnknownTransactionCommitResult')) return 'commit-unknown';
  if (isAway(error)) return 'unavailable';
  const byCode =
    error instanceof MongoBulkWriteError ? faultOfBulk(error) : faultOfCode(error.code);
  if (error.hasErrorLabel('TransientTransactionError')) {
    return byCode === 'unavailable' ? byCode : 'transient';
  }
  return error instanceof MongoServerError ? byCode : 'other';
}

/** Whether time alone may mend it: nobody's work is to be blamed for such a failure. */
export function isPassing(error: unknown): boolean {
  return PASSING.has(faultOf(error));
}

const PASSING: ReadonlySet<DatabaseFault> = new Set(['unavailable', 'commit-unknown', 'transient']);

/** What the system says of a connection that is gone. */
const BROKEN_CODES: ReadonlySet<unknown> = new Set([
  ...['ECONNRESET', 'ECONNABORTED', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', 'ENOTCONN'],
  ...['EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL', 'EMFILE', 'ENFILE'],
  ...['ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END'],
]);

const IN_DRIVER = /[\\/]mongodb[\\/]lib[\\/]/;

/**
 * A connection that breaks in the moment of a write comes out of the driver (7.9) as the system's own
 * error, bare or wrapped by a bulk write. Other libraries' look the same, but for where they were made.
 */
function faultOfBare(error: unknown, thrown: unknown): DatabaseFault {
  if (!(error instanceof Error) || !('code' in error)) return 'other';
  const isOfDriver = error !== thrown || IN_DRIVER.test(error.stack ?? '');
  return isOfDriver && BROKEN_CODES.has(error.code) ? 'unavailable' : 'other';
}

const WRAPPERS_MAX = 4;

/** A bulk write wraps whatever kept it from being answered: a broken connection, a full pool. */
function seenThrough(error: unknown): unknown {
  let seen = error;
  for (let depth = 0; depth < WRAPPERS_MAX; depth += 1) {
    if (!(seen instanceof MongoServerError)) break;
    const { errorResponse }: { readonly errorResponse: unknown } = seen;
    if (!(errorResponse instanceof Error)) break;
    seen = errorResponse;
  }
  return seen;
}

function isAway(error: MongoError): boolean {
  return (
    error instanceof MongoNetworkError ||
    error instanceof MongoSystemError ||
    UNAVAILABLE.has(error.name)
  );
}

/**
 * The worst of what the server said of the parts; duplicates are the least of it. When it said
 * nothing of any, it did not answer.
 */
function faultOfBulk(error: MongoBulkWriteError): DatabaseFault {
  if (hasLostConcern(error)) return 'unavailable';
  const said = [error.writeErrors].flat().map(({ code }) => faultOfCode(code));
  const worst = said.find((fault) => fault !== 'duplicate-key') ?? said[0];
  if (worst !== undefined) return worst;
  return error.code === undefined ? 'unavailable' : faultOfCode(error.code);
}

/** Written, but not known to be there on a majority with the journal on disk. */
function hasLostConcern({ result }: MongoBulkWriteError): boolean {
  return 'getWriteConcernError' in result && result.getWriteConcernError() !== undefined;
}

function faultOfCode(code: unknown): DatabaseFault {
  if (typeof code !== 'number') return 'other';
  if (code === DUPLICATE_KEY) return 'duplicate-key';
  if (UNAVAILABLE_CODES.has(code)) return 'unavailable';
  return SURROUNDINGS_CODES.has(code) ? 'transient' : 'other';
}

/**
 * The documents of an unordered insert that were there already, by index; the server has taken all
 * others and a majority has them.
 *
 * @throws the error unless the server said of every document that it is there: a bulk error without
 * a list of errors, or with one beside a write concern that failed, says nothing of the others.
 */
export function duplicatesOf(error: unknown): ReadonlySet<number> {
  if (!(error instanceof MongoBulkWriteError)) throw error;
  const errors = [error.writeErrors].flat();
  const areAllDuplicates = errors.length > 0 && faultOf(error) === 'duplicate-key';
  if (!areAllDuplicates) throw error;
  return new Set(errors.map(({ index }) => index));
}

/** Whoever takes this for a refusal and sends a new key pays twice. */
export const OUTCOME_UNKNOWN =
  'The database did not answer in time. What was asked for may have been stored all the same: ' +
  'send the same request again, with the same idempotency key if it has one';

/** The one normaliser of what a database call throws. AppErrors pass through. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const fault = faultOf(error);
  if (fault === 'unavailable' || fault === 'transient' || fault === 'commit-unknown') {
    return new AppError('ledger_unavailable', OUTCOME_UNKNOWN, {
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
