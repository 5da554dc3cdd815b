import { describe, expect, it } from 'vitest';
import type { DeliveryDoc } from '../../../../../core/notifications/delivery/delivery.ts';
import {
  type DeliverySnapshot,
  nextStep,
} from '../../../../../core/notifications/delivery/next-step.ts';
import { POLICIES } from '../../../../../core/notifications/policies.ts';

const HOUR = 3_600_000;
const NOW = new Date('2026-07-01T20:00:00Z');
const after = (hours: number) => new Date(NOW.getTime() + hours * HOUR);
/** Thirteen hours from now. */
const QUIET = { from: '20:00', to: '09:00', zone: 'UTC' };

function sightOf(overrides: Partial<DeliveryDoc> = {}): DeliverySnapshot {
  const delivery: DeliveryDoc = {
    _id: 'dlv_1',
    tenantId: 'default',
    channel: 'sms',
    status: 'pending',
    event: { id: 'evt_1', name: 'invoice.due', at: NOW },
    category: 'messages',
    userId: 'ann',
    address: '+4915112345678',
    template: 'invoice.due',
    data: {},
    seq: 1,
    attempts: [],
    attemptsUsed: 0,
    expiresAt: after(12),
    createdAt: NOW,
    ...overrides,
  };
  const user = { _id: 'default/ann', tenantId: 'default', userId: 'ann', quietHours: QUIET };
  return { delivery, now: NOW, user, isSuppressed: false, readMs: 0 };
}

describe('quiet hours that go on beyond the end of a message', () => {
  it('begin its life anew at their end', () => {
    expect(nextStep(sightOf(), POLICIES.sms)).toEqual({
      kind: 'defer',
      delayMs: 13 * HOUR,
      code: 'quiet_hours',
      lifeMs: 12 * HOUR,
    });
  });

  it('do so once, so that a message that cannot be sent ends some day', () => {
    const next = nextStep(sightOf({ isProlonged: true }), POLICIES.sms);
    expect(next).toEqual({ kind: 'defer', delayMs: 13 * HOUR, code: 'quiet_hours' });
  });

  it('end it at once when whoever asked wants it sooner', () => {
    const early = { deadline: after(1), expiresAt: after(1) };
    expect(nextStep(sightOf(early), POLICIES.sms)).toMatchObject({
      kind: 'finish',
      status: 'expired',
      reason: { code: 'quiet_hours' },
    });
    const late = { deadline: after(20), expiresAt: after(12) };
    expect(nextStep(sightOf(late), POLICIES.sms)).toMatchObject({ kind: 'defer' });
  });
});
