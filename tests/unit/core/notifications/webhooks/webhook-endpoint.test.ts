import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../../config/limits.ts';
import {
  type EndpointSecret,
  healthOf,
  rotatedSecrets,
  signingSecrets,
} from '../../../../../core/notifications/webhooks/webhook-endpoint.ts';

const HOUR = 3_600_000;
const NOW = new Date('2026-07-01T12:00:00Z');
const ago = (hours: number) => new Date(NOW.getTime() - hours * HOUR);
const FAILED = { isGood: false, isGone: false, now: NOW };

describe('an endpoint that fails', () => {
  it.each([
    ['never before', {}, 'failing'],
    ['once six days ago', { failingSince: ago(144), failedAt: ago(144) }, 'failing'],
    ['once six days ago, by an old record', { failingSince: ago(144) }, 'failing'],
    ['six and three days ago', { failingSince: ago(144), failedAt: ago(72) }, 'failing'],
    [
      'for six days, the last time an hour ago',
      { failingSince: ago(144), failedAt: ago(1) },
      'worn-out',
    ],
    ['for six days, once a day', { failingSince: ago(144), failedAt: ago(24) }, 'worn-out'],
    ['for four days', { failingSince: ago(96), failedAt: ago(1) }, 'failing'],
    ['a minute ago', { failingSince: ago(96), failedAt: ago(1 / 60) }, 'same'],
  ] as const)('%s and now', (_when, endpoint, health) => {
    expect(healthOf(endpoint, FAILED)).toBe(health);
  });
});

/** Rotates again and again, with as many hours in between. */
function rotated(hours: readonly number[]): { secrets: readonly EndpointSecret[]; now: Date } {
  let now = NOW;
  let secrets: readonly EndpointSecret[] = [{ secret: 's0', createdAt: now }];
  for (const [index, pause] of hours.entries()) {
    now = new Date(now.getTime() + pause * HOUR);
    secrets = rotatedSecrets(
      { secrets },
      { secret: `s${index + 1}`, now, rotationMs: LIMITS.webhookRotationMs },
    );
  }
  return { secrets, now };
}

describe('a secret that has been replaced', () => {
  it('signs for its day, however often it is replaced again meanwhile', () => {
    const { secrets, now } = rotated([1, 2, 3]);
    const after = (hours: number) =>
      signingSecrets({ secrets }, new Date(now.getTime() + hours * HOUR));
    expect(after(0)).toEqual(['s3', 's2', 's1', 's0']);
    // The first was replaced five hours before the last rotation, so it has nineteen left.
    expect(after(18.9)).toEqual(['s3', 's2', 's1', 's0']);
    expect(after(19.1)).toEqual(['s3', 's2', 's1']);
    expect(after(24.1)).toEqual(['s3']);
  });

  it('is forgotten once its day is over', () => {
    expect(rotated([1, 25, 25]).secrets.map(({ secret }) => secret)).toEqual(['s3', 's2']);
    expect(LIMITS.webhookRotationMs).toBe(24 * HOUR);
  });
});
