import { EVENT_NAMES } from '../../events/catalog.ts';
import { matchesFilter } from './event-rules.ts';

/** A filter that matches no event would wait for something that cannot come, so it is refused. */
export function isKnownFilter(filter: string): boolean {
  return EVENT_NAMES.some((name) => matchesFilter(filter, name));
}
