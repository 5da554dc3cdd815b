import {
  type BulkWriteResult,
  MongoBulkWriteError,
  MongoDriverError,
  MongoNetworkError,
  type WriteConcernError,
  type WriteError,
} from 'mongodb';

/** What the driver makes of an unordered bulk write of which these documents failed. */
export function bulkError(
  codes: readonly number[],
  indexes: readonly number[] = codes.map((_code, index) => index),
): MongoBulkWriteError {
  const writeErrors = codes.map((code, index) => ({ code, index: indexes[index] }) as WriteError);
  const [code] = codes;
  const result = { getWriteConcernError: () => undefined } as BulkWriteResult;
  return new MongoBulkWriteError(
    { message: 'x', ...(code !== undefined && { code }), writeErrors } as never,
    result,
  );
}

/** The same with a write concern that was not satisfied. */
export function lostConcern(error: MongoBulkWriteError): MongoBulkWriteError {
  const concern = { code: 64, errmsg: 'waiting for replication timed out' } as WriteConcernError;
  error.result.getWriteConcernError = () => concern;
  return error;
}

/** Driver classes that are not exported: they are known by their names. */
export function poolExhausted(): Error {
  return named(new MongoDriverError('no connection came free'), 'MongoWaitQueueTimeoutError');
}

export function poolCleared(): Error {
  return named(new MongoNetworkError('the pool was cleared'), 'PoolClearedOnNetworkError');
}

function named(error: Error, name: string): Error {
  return Object.defineProperty(error, 'name', { value: name });
}
