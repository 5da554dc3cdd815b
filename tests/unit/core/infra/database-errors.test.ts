import {
  MongoBulkWriteError,
  MongoClientClosedError,
  MongoExpiredSessionError,
  MongoNetworkError,
  MongoServerError,
  MongoServerSelectionError,
  MongoUnexpectedServerResponseError,
  type TopologyDescription,
} from 'mongodb';
import { describe, expect, it } from 'vitest';
import {
  OUTCOME_UNKNOWN,
  duplicatesOf,
  faultOf,
  isPassing,
  toAppError,
} from '../../../../core/infra/database-errors.ts';
import {
  bulkError,
  lostConcern,
  poolCleared,
  poolExhausted,
} from '../../../support/bulk-errors.ts';
import { AppError } from '../../../../core/kernel/errors.ts';

const server = (code: number, ...errorLabels: string[]) =>
  new MongoServerError({ message: 'x', code, errorLabels });

describe('what a failed database call means', () => {
  it.each([
    ['a write conflict', server(112, 'TransientTransactionError'), 'transient'],
    ['an aborted transaction', server(251, 'TransientTransactionError'), 'transient'],
    ['a step-down in a transaction', server(10_107, 'TransientTransactionError'), 'unavailable'],
    ['a step-down', server(10_107), 'unavailable'],
    ['a shutdown', server(91), 'unavailable'],
    ['an unknown commit', server(64, 'UnknownTransactionCommitResult'), 'commit-unknown'],
    ['a duplicate key', server(11_000), 'duplicate-key'],
    ['a connection that broke', new MongoNetworkError('x'), 'unavailable'],
    ['no primary', new MongoServerSelectionError('x', {} as TopologyDescription), 'unavailable'],
    ['a time limit that ran out', server(50), 'transient'],
    ['a full disk', server(14_031), 'transient'],
    ['a right that was taken away', server(13), 'transient'],
    ['a bug of ours', new TypeError('x'), 'other'],
    ['a document that is too large', server(10_334), 'other'],
  ])('is known by its code and labels: %s', (_what, error, fault) => {
    expect(faultOf(error)).toBe(fault);
  });

  /** A connection that broke in the moment of a write, as the system says it to whoever wrote. */
  const broken = (code: string, writer: string): Error => {
    const error = Object.assign(new Error(`write ${code}`), { code, syscall: 'write' });
    error.stack = `Error: write ${code}\n    at Socket._write (node:net:970:8)\n    at ${writer}`;
    return error;
  };
  const DRIVER =
    'Connection.writeCommand (/app/node_modules/mongodb/lib/cmap/connection.js:408:29)';
  const OTHER = 'ClientRequest.end (/app/node_modules/other/lib/request.js:1:1)';

  it.each(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ERR_STREAM_DESTROYED'])(
    'is seen in what the system says to the driver, which it throws as it is: %s',
    (code) => {
      expect(faultOf(broken(code, DRIVER))).toBe('unavailable');
      const inBulk = new MongoBulkWriteError(broken(code, DRIVER), bulkError([]).result);
      expect([faultOf(inBulk), isPassing(inBulk)]).toEqual(['unavailable', true]);
      // Somebody else's connection is none of the database's.
      expect(faultOf(broken(code, OTHER))).toBe('other');
    },
  );

  it('takes no other error that the driver hands on for a broken connection', () => {
    expect(faultOf(broken('ENOENT', DRIVER))).toBe('other');
    expect(faultOf(new MongoBulkWriteError(new TypeError('x'), bulkError([]).result))).toBe(
      'other',
    );
  });

  const noPrimary = new MongoServerSelectionError('x', {} as TopologyDescription);
  const wrapped = (error: Error) => new MongoBulkWriteError(error, bulkError([]).result);
  it.each([
    ['a connection that broke', wrapped(new MongoNetworkError('x')), 'unavailable'],
    ['no primary', wrapped(noPrimary), 'unavailable'],
    ['a pool that was cleared', wrapped(poolCleared()), 'unavailable'],
    ['a pool that is exhausted', wrapped(poolExhausted()), 'unavailable'],
    ['a client that was closed', wrapped(new MongoClientClosedError()), 'unavailable'],
    ['a session that ended with it', wrapped(new MongoExpiredSessionError()), 'unavailable'],
    ['no answer of a primary', wrapped(new MongoUnexpectedServerResponseError('x')), 'unavailable'],
    ['a step-down', wrapped(server(10_107)), 'unavailable'],
    ['a wrapper in a wrapper', wrapped(wrapped(new MongoNetworkError('x'))), 'unavailable'],
    [
      'a write conflict in a transaction',
      wrapped(server(112, 'TransientTransactionError')),
      'transient',
    ],
    ['nothing said of any document', bulkError([]), 'unavailable'],
    ['a write concern that failed', lostConcern(bulkError([])), 'unavailable'],
    ['duplicates beside one', lostConcern(bulkError([11_000, 11_000])), 'unavailable'],
    ['duplicates and a step-down', bulkError([11_000, 11_602]), 'unavailable'],
    ['duplicates and one refused', bulkError([11_000, 121]), 'other'],
    ['duplicates alone', bulkError([11_000, 11_000]), 'duplicate-key'],
    ['a bug of ours', wrapped(new TypeError('x')), 'other'],
  ])('is seen through the wrapper of a bulk write: %s', (_what, error, fault) => {
    expect(faultOf(error)).toBe(fault);
    expect(isPassing(error)).toBe(fault === 'unavailable' || fault === 'transient');
  });

  it('is passing when our own layer has already told of it, and not when a rule refused', () => {
    expect(isPassing(new AppError('ledger_unavailable', 'x'))).toBe(true);
    expect(isPassing(new AppError('insufficient_funds', 'x'))).toBe(false);
  });

  it.each([
    [11_000, bulkError([11_000], [3]), [3]],
    [11_000, bulkError([11_000, 11_000], [0, 2]), [0, 2]],
  ])('takes %i of an insert for documents that were there before', (_code, error, indexes) => {
    expect([...duplicatesOf(error)]).toEqual(indexes);
  });

  it.each([
    ['an empty list', bulkError([])],
    ['a broken connection', wrapped(new MongoNetworkError('x'))],
    ['a write concern that failed', lostConcern(bulkError([11_000]))],
    ['another failure among them', bulkError([11_000, 11_602])],
    ['what is no bulk error', new MongoNetworkError('x')],
  ])('never takes for stored what the server has not said so of: %s', (_what, error) => {
    expect(() => duplicatesOf(error)).toThrow(error);
  });

  it('is told as unknown, never as a refusal or our own failure: an insert without an answer', () => {
    for (const error of [
      bulkError([]),
      wrapped(new MongoNetworkError('x')),
      wrapped(poolExhausted()),
      lostConcern(bulkError([11_000])),
    ]) {
      expect(toAppError(error)).toMatchObject({
        code: 'ledger_unavailable',
        detail: OUTCOME_UNKNOWN,
        retryAfterSeconds: 1,
      });
    }
    expect(OUTCOME_UNKNOWN).toContain('same idempotency key');
  });

  it('is told to a client without the inside of it, and as worth trying again', () => {
    const told = toAppError(server(112, 'TransientTransactionError'));
    expect(told).toMatchObject({ code: 'ledger_unavailable', retryAfterSeconds: 1 });
    expect(toAppError(new TypeError('secret'))).toMatchObject({ code: 'internal' });
    expect(toAppError(new TypeError('secret')).message).not.toContain('secret');
    const own = new AppError('backlog_full', 'x');
    expect(toAppError(own)).toBe(own);
  });
});
