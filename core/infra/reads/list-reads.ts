import { ReadPreference } from 'mongodb';

/**
 * Where lists and history are read. The one place that names anything but the primary: what decides
 * never asks here, and a test looks at every query for that.
 */
export interface ListReads {
  /** @param isPresent the list has to hold what was settled before: it comes from the primary. */
  preference(isPresent?: true): ReadPreference;
}

/** By default the primary; else a secondary that is behind by no more than so many seconds. */
export function createListReads(maxStalenessSeconds?: number): ListReads {
  const usual =
    maxStalenessSeconds === undefined
      ? ReadPreference.primary
      : new ReadPreference('secondaryPreferred', undefined, { maxStalenessSeconds });
  return Object.freeze({
    preference: (isPresent?: true) => (isPresent === true ? ReadPreference.primary : usual),
  });
}
