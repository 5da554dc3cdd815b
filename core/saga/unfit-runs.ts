import { LIMITS } from '../../config/limits.ts';
import { AppError, type Failure } from '../kernel/errors.ts';
import type { Run } from './saga-run.ts';

const NEWER_PAUSE_SECONDS = 5;

export function newerVersion({ operation }: Run): AppError {
  return new AppError('version_unknown', `${operation.type} ${operation.typeVersion} is newer`, {
    retryAfterSeconds: NEWER_PAUSE_SECONDS,
  });
}

/** It counts whoever takes it over, so that what kills its worker each time ends with a human. */
export function isWornOut({ operation: { interruptions = 0 } }: Run): boolean {
  return interruptions > LIMITS.interruptionsMax;
}

export function wornOut({ operation: { interruptions = 0 } }: Run): Failure {
  const detail = `Its worker died or stalled ${interruptions} times`;
  return { code: 'poison_operation', detail };
}

export function goneVersion({ operation }: Run): Failure {
  const detail = `No code here knows ${operation.type} version ${operation.typeVersion}`;
  return { code: 'poison_operation', detail };
}

export function shuttingDown(): AppError {
  return new AppError('shutting_down', 'The worker stops', { retryAfterSeconds: 1 });
}
