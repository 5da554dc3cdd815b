import { STATUSES, isSettled } from '../../operations/status.ts';
import { DISABLED_EVENT, REQUESTED_EVENT, RULED_EVENTS, matchesFilter } from './event-rules.ts';

/**
 * Every event there is. A filter that matches none of them would wait for something that cannot
 * come, so it is refused; a test holds the list against what the code emits.
 */
export const EVENT_NAMES: readonly string[] = [
  ...RULED_EVENTS,
  ...STATUSES.filter(isSettled).map((status) => `operation.${status}`),
  'tenant.provisioned',
  REQUESTED_EVENT,
  DISABLED_EVENT,
].toSorted();

export function isKnownFilter(filter: string): boolean {
  return EVENT_NAMES.some((name) => matchesFilter(filter, name));
}
