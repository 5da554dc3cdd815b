import { LIMITS } from '../../../config/limits.ts';
import { type DeliveryId, type DeliveryInJob, newSharedJobId } from './delivery.ts';

/** A delivery that is put off. */
export interface ComingAgain {
  readonly delivery: DeliveryInJob;
  readonly delayMs: number;
  /** In a job of its own. */
  readonly isAlone?: true;
}

interface Appointment {
  readonly jobId: string;
  readonly delayMs: number;
}

/**
 * Those that are due at about the same time come together: a time is rounded up by a sixteenth of the
 * wait at the most. By delivery; of one that is named twice the earlier one counts.
 */
export function jobsOf(all: readonly ComingAgain[]): ReadonlyMap<DeliveryId, Appointment> {
  const delays = new Map<DeliveryId, number>();
  const together = new Map<string, Set<DeliveryId>>();
  for (const { delivery, delayMs: askedMs, isAlone } of all) {
    const { _id, channel } = delivery;
    const delayMs = Math.min(roundedMs(askedMs), delays.get(_id) ?? Infinity);
    const key = `${isAlone === true ? _id : channel}/${String(delayMs)}`;
    delays.set(_id, delayMs);
    together.set(key, (together.get(key) ?? new Set()).add(_id));
  }
  const jobs = new Map<DeliveryId, Appointment>();
  for (const ids of together.values()) {
    const due = [...ids].filter((id) => !jobs.has(id));
    for (let from = 0; from < due.length; from += LIMITS.jobDeliveriesMax) {
      const some = due.slice(from, from + LIMITS.jobDeliveriesMax);
      const jobId = newSharedJobId(some.length);
      for (const id of some) jobs.set(id, { jobId, delayMs: delays.get(id) ?? 0 });
    }
  }
  return jobs;
}

/** Up to a multiple of the power of two below a sixteenth. */
export function roundedMs(delayMs: number): number {
  if (delayMs <= 0) return 0;
  const grain = 2 ** Math.max(3, Math.floor(Math.log2(delayMs / 16)));
  return Math.ceil(delayMs / grain) * grain;
}
