import {
  MongoNetworkError,
  MongoServerError,
  MongoServerSelectionError,
  type TopologyDescription,
} from 'mongodb';
import { describe, expect, it } from 'vitest';
import { faultOf, toAppError } from '../../../../core/infra/database-errors.ts';
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

  it('is told to a client without the inside of it, and as worth trying again', () => {
    const told = toAppError(server(112, 'TransientTransactionError'));
    expect(told).toMatchObject({ code: 'ledger_unavailable', retryAfterSeconds: 1 });
    expect(toAppError(new TypeError('secret'))).toMatchObject({ code: 'internal' });
    expect(toAppError(new TypeError('secret')).message).not.toContain('secret');
    const own = new AppError('backlog_full', 'x');
    expect(toAppError(own)).toBe(own);
  });
});
