import { describe, expect, it } from 'vitest';
import {
  type DeliveryId,
  type DeliveryJob,
  sharedJobIdOf,
} from '../../../core/notifications/delivery/delivery.ts';
import { deliveriesOf, deliveryPayload } from '../../../queues/catalog.ts';
import { deliveryJobSpec, deliveryJobs } from '../../../queues/job-specs.ts';

const idOf = (index: number): DeliveryId => `dlv_${String(index).padStart(48, '0')}`;
const jobOf = (index: number, part: Partial<DeliveryJob> = {}): DeliveryJob => ({
  ...{ deliveryId: idOf(index), tenantId: 'default', channel: 'webhook', seq: 1 },
  ...part,
});

describe('jobs of deliveries', () => {
  it('that name the same job share it, once each; one that names none has the form of old', () => {
    const shared = { jobId: 'dlvs_00.2' };
    const jobs = deliveryJobs([jobOf(1, shared), jobOf(2, shared), jobOf(1, shared), jobOf(3)]);
    const specs = jobs.map((one) => deliveryJobSpec(one, 0));
    expect(specs.map(({ opts }) => opts.jobId)).toEqual(['dlvs_00.2', `${idOf(3)}.1`]);
    const ids = specs.map(({ data }) =>
      deliveriesOf(deliveryPayload.parse(data)).map(({ deliveryId }) => deliveryId),
    );
    expect(ids).toEqual([[idOf(1), idOf(2)], [idOf(3)]]);
    expect(specs[1]?.data).toMatchObject({ v: 1, deliveryId: idOf(3) });
  });

  it('of one channel are not put into the queue of another', () => {
    const shared = { jobId: 'dlvs_00.2' };
    expect(deliveryJobs([jobOf(1, shared), jobOf(2, { ...shared, channel: 'sms' })])).toHaveLength(
      2,
    );
  });

  it('that are urgent go before what waits, unless they are not due', () => {
    const urgent = deliveryJobSpec([jobOf(1, { isUrgent: true })], 0);
    const later = deliveryJobSpec([jobOf(1, { isUrgent: true, notBefore: new Date(500) })], 0);
    expect(urgent.opts.lifo).toBe(true);
    expect(deliveryJobSpec([jobOf(1)], 0).opts.lifo).toBeUndefined();
    expect(later.opts).toMatchObject({ delay: 500 });
    expect(later.opts.lifo).toBeUndefined();
  });

  it('have the same id for the same deliveries, so that a row that comes again adds nothing', () => {
    const some = [1, 2, 3].map((index) => ({ _id: idOf(index), seq: 1 }));
    expect(sharedJobIdOf(some)).toBe(sharedJobIdOf([...some]));
    expect(sharedJobIdOf(some)).not.toBe(sharedJobIdOf(some.slice(1)));
    expect(sharedJobIdOf(some)).not.toBe(sharedJobIdOf(some.map((one) => ({ ...one, seq: 2 }))));
  });
});
