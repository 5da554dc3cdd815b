import { openHints } from '../../core/events/hints.ts';
import { startSagas } from '../../workers/saga.ts';
import type { Instance } from './platform.ts';

/** Lets a process work on stepwise operations as well. */
export function openSagas({ platform, queues }: Instance): void {
  const hints = openHints(platform.redis);
  platform.lifecycle.onClose('saga hints', () => hints.close());
  startSagas({ platform, publisher: queues.publisher, hints });
}
