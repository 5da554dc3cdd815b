import { present } from '../../core/kernel/assert.ts';
import { sweepPayload } from '../../queues/catalog.ts';
import type { Arena } from './arena.ts';

function recoveryOf({ queues }: Arena) {
  return present(queues.byName.get('recovery'), 'the queue of recovery');
}

/** By the second trigger, so that nobody has to wait for the first. */
export async function askForSweep(arena: Arena): Promise<void> {
  await recoveryOf(arena).add('sweep', sweepPayload.parse({ v: 1, rule: 'sweep' }));
}

/** Sweeps that have ended, by whoever asked for them. */
export async function sweepsEnded(arena: Arena): Promise<number> {
  return recoveryOf(arena).getJobCountByTypes('completed', 'failed');
}
