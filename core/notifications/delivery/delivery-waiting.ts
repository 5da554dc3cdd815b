import { type JobSight, type WaitingOn, waitsOn } from '../../kernel/waiting-on.ts';
import { type Deferral, type DeliveryDoc, isFinal } from './delivery.ts';

interface DeliverySight {
  readonly now: Date;
  /** Of one that is due; what is left out was not looked at. */
  readonly job?: JobSight;
}

/** Why a delivery is not done yet; undefined: it is. Pure. */
export function deliveryWaitsOn(
  delivery: DeliveryDoc,
  { now, job }: DeliverySight,
): WaitingOn | undefined {
  const { status, notBefore } = delivery;
  if (isFinal(status)) return undefined;
  if (status === 'sending') return beingSent(delivery, now);
  if (notBefore !== undefined && notBefore > now) return untilItsTime(delivery, notBefore);
  return forItsJob(delivery, job);
}

function beingSent(delivery: DeliveryDoc, now: Date): WaitingOn {
  const { channel, leaseUntil, nextCheckAt: expectedAt } = delivery;
  if (leaseUntil !== undefined && leaseUntil <= now) {
    return waitsOn('recovery', 'the lease of its worker is over', {
      since: leaseUntil,
      expectedAt,
    });
  }
  return waitsOn('provider', channel, { since: touchedAt(delivery), expectedAt: leaseUntil });
}

function forItsJob(delivery: DeliveryDoc, job: JobSight | undefined): WaitingOn {
  const { channel, notBefore, nextCheckAt: expectedAt } = delivery;
  const queue = `notify-${channel}`;
  const since = notBefore ?? touchedAt(delivery);
  if (job === 'away') return waitsOn('redis-away', queue, { since });
  if (job === 'gone' || job === 'finished') {
    return waitsOn('recovery', `its job in ${queue} is gone`, { since, expectedAt });
  }
  return job === 'delayed'
    ? waitsOn('rate', channel, { since })
    : waitsOn('queue', queue, { since });
}

function touchedAt({ updatedAt, createdAt }: DeliveryDoc): Date {
  return updatedAt ?? createdAt;
}

const BY_DEFERRAL = {
  breaker_open: 'breaker',
  throttled: 'rate',
  quiet_hours: 'timer',
  paused: 'pause',
} as const satisfies Record<Deferral['code'], WaitingOn['kind']>;

function untilItsTime(delivery: DeliveryDoc, expectedAt: Date): WaitingOn {
  const { channel, deferral, attempts, items, createdAt } = delivery;
  const last = attempts.at(-1);
  // An attempt that failed after it has a pause of its own.
  const isDeferred = deferral !== undefined && deferral.until >= expectedAt;
  if (isDeferred) {
    const { code, provider, at } = deferral;
    const subject = code === 'quiet_hours' ? 'quiet hours' : (provider ?? channel);
    return waitsOn(BY_DEFERRAL[code], subject, { since: at, expectedAt });
  }
  if (last !== undefined) {
    const subject = `${last.provider}, attempt ${delivery.attemptsUsed + 1}`;
    return waitsOn('retry', subject, { since: last.at, expectedAt });
  }
  const subject = items === undefined ? 'its time' : 'the end of its digest';
  return waitsOn('timer', subject, { since: createdAt, expectedAt });
}
