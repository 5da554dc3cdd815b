import { describe, expect, it } from 'vitest';
import {
  type DeliveryId,
  type DeliveryRef,
  deliveriesOfJobId,
} from '../../../../../core/notifications/delivery/delivery.ts';
import { jobsOf, roundedMs } from '../../../../../core/notifications/delivery/put-off.ts';
import { verdictOf } from '../../../../../core/notifications/delivery/verdict.ts';
import { createWakes } from '../../../../../core/notifications/admission/wakes.ts';
import { POLICIES } from '../../../../../core/notifications/policies.ts';
import { LIMITS } from '../../../../../config/limits.ts';

const refOf = (index: number, channel: DeliveryRef['channel'] = 'webhook'): DeliveryRef => {
  const _id: DeliveryId = `dlv_${String(index).padStart(48, '0')}`;
  return { _id, tenantId: 'default', channel, seq: 1 };
};

describe('deliveries that are put off', () => {
  it('share a job when they are due at about the same time, and no job stands for too many', () => {
    const all = Array.from({ length: 200 }, (_, index) => ({
      delivery: refOf(index),
      delayMs: 30_000 + index,
    }));
    const jobs = jobsOf(all);
    const ids = [...new Set([...jobs.values()].map(({ jobId }) => jobId))];
    expect(ids).toHaveLength(4);
    expect(ids.map(deliveriesOfJobId)).toEqual([64, 64, 64, 8]);
  });

  it('are never early, and a sixteenth late at the most', () => {
    for (const ms of [0, 1, 49, 50, 999, 5_000, 30_000, 86_400_000]) {
      expect(roundedMs(ms)).toBeGreaterThanOrEqual(ms);
      expect(roundedMs(ms)).toBeLessThanOrEqual(ms + Math.max(8, ms / 16));
    }
  });

  it('of another channel, of another time, or to be alone, have a job of their own', () => {
    const jobs = jobsOf([
      { delivery: refOf(1), delayMs: 1_000 },
      { delivery: refOf(2, 'sms'), delayMs: 1_000 },
      { delivery: refOf(3), delayMs: 60_000 },
      { delivery: refOf(4), delayMs: 1_000, isAlone: true },
    ]);
    expect(new Set([...jobs.values()].map(({ jobId }) => jobId)).size).toBe(4);
  });

  it('twice come once, at the earlier time', () => {
    const jobs = jobsOf([
      { delivery: refOf(1), delayMs: 60_000 },
      { delivery: refOf(1), delayMs: 1_000 },
    ]);
    expect([...jobs.values()]).toMatchObject([{ delayMs: roundedMs(1_000) }]);
  });
});

describe('a target that sleeps', () => {
  it('is woken by one, then two, then four, and not by all that has gathered for it', () => {
    const wakes = createWakes({ monotonicMs: () => 0 });
    const at = Array.from({ length: 15 }, () => wakes.of('shop', 30_000));
    const step = LIMITS.deliveryWakeStepMs;
    expect([0, 1, 2, 3].map((n) => at.filter((ms) => ms === 30_000 + n * step).length)).toEqual([
      1, 2, 4, 8,
    ]);
    expect(wakes.of('shop', 90_000)).toBe(90_000); // it was asked again, and sleeps on
    expect(wakes.of('other', 30_000)).toBe(30_000);
  });

  it('is probed at no attempt of the delivery that probes it', () => {
    const fault = {
      kind: 'fault',
      code: 'connect_refused',
      detail: '-',
      mayHaveSent: false,
    } as const;
    const standing = { policy: POLICIES.webhook, attemptsUsed: 7, random: () => 0.5 };
    expect(verdictOf(fault, { ...standing, probedMs: 60_000 })).toMatchObject({
      kind: 'asleep',
      delayMs: 60_000,
    });
    expect(verdictOf(fault, standing)).toMatchObject({ kind: 'final', status: 'failed' });
  });

  it('that may have taken a text message is not asked whether it wants it once more', () => {
    const fault = { kind: 'fault', code: 'timeout', detail: '-', mayHaveSent: true } as const;
    const standing = { policy: POLICIES.sms, attemptsUsed: 0, random: () => 0.5, probedMs: 60_000 };
    expect(verdictOf(fault, standing)).toMatchObject({ kind: 'final', status: 'uncertain' });
  });
});
