import { AppError } from '../../core/kernel/errors.ts';

/** What the bodies of the requests under way may take of a process. */
export interface BodyBytes {
  /** @throws AppError `bodies_full` when there is no room for as much more. */
  take(bytes: number): void;
  giveBack(bytes: number): void;
}

/**
 * Counted as it arrives, so that who only announces a body keeps nobody else's out, and until the
 * request is answered: what was parsed of it lives as long.
 */
export function createBodyBytes(max: number): BodyBytes {
  let taken = 0;
  return Object.freeze({
    take: (bytes: number) => {
      if (taken + bytes > max) {
        throw new AppError('bodies_full', 'Send the request again, or a smaller one', {
          retryAfterSeconds: 1,
        });
      }
      taken += bytes;
    },
    giveBack: (bytes: number) => {
      taken -= bytes;
    },
  });
}
