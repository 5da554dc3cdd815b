import { describe, expect, it } from 'vitest';
import {
  type DeliveryDoc,
  DELIVERY_STATUSES,
  isFinal,
} from '../../../../../core/notifications/delivery/delivery.ts';
import { deliveryWaitsOn } from '../../../../../core/notifications/delivery/delivery-waiting.ts';
import type { JobSight } from '../../../../../core/kernel/waiting-on.ts';

const at = (seconds: number): Date => new Date(Date.UTC(2026, 0, 1, 12, 0, seconds));
const NOW = at(30);

const base: DeliveryDoc = {
  _id: 'dlv_1',
  tenantId: 'default',
  channel: 'webhook',
  status: 'pending',
  event: { id: 'e', name: 'transfer.settled', at: at(0) },
  category: 'default',
  address: 'https://x.test',
  template: 't',
  data: {},
  seq: 1,
  attempts: [],
  attemptsUsed: 0,
  nextCheckAt: at(45),
  expiresAt: at(59),
  createdAt: at(0),
};
const attempt = {
  provider: 'webhook',
  outcome: 'retry',
  at: at(20),
  ms: 5,
  worker: 'w',
} as unknown as DeliveryDoc['attempts'][number];
const deferred = (code: 'breaker_open' | 'throttled' | 'quiet_hours', until = at(50)) => ({
  notBefore: at(50),
  deferral: { code, provider: 'x.test', at: at(25), until, times: 1 },
});

const ROWS: readonly (readonly [string, Partial<DeliveryDoc>, JobSight | undefined, object])[] = [
  ['a worker', {}, 'queued', { kind: 'queue', subject: 'notify-webhook', since: at(0) }],
  ['a worker, as its document tells', {}, undefined, { kind: 'queue' }],
  ['Redis', {}, 'away', { kind: 'redis-away', subject: 'notify-webhook' }],
  ['recovery', {}, 'gone', { kind: 'recovery', expectedAt: at(45) }],
  ['a place at its host', {}, 'delayed', { kind: 'rate', subject: 'webhook' }],
  [
    'an answer',
    { status: 'sending', leaseUntil: at(40), updatedAt: at(9) },
    undefined,
    { kind: 'provider', since: at(9), expectedAt: at(40) },
  ],
  [
    'recovery, its worker being dead',
    { status: 'sending', leaseUntil: at(20) },
    undefined,
    { kind: 'recovery', since: at(20), expectedAt: at(45) },
  ],
  [
    'a breaker',
    deferred('breaker_open'),
    undefined,
    { kind: 'breaker', subject: 'x.test', since: at(25), expectedAt: at(50) },
  ],
  ['a limit', deferred('throttled'), undefined, { kind: 'rate', subject: 'x.test' }],
  [
    'the end of quiet hours',
    deferred('quiet_hours'),
    undefined,
    { kind: 'timer', subject: 'quiet hours' },
  ],
  [
    'another attempt',
    { notBefore: at(50), attempts: [attempt], attemptsUsed: 1 },
    undefined,
    { kind: 'retry', subject: 'webhook, attempt 2', since: at(20), expectedAt: at(50) },
  ],
  [
    'another attempt after a deferral',
    { ...deferred('breaker_open', at(15)), attempts: [attempt], attemptsUsed: 1 },
    undefined,
    { kind: 'retry' },
  ],
  [
    'the end of its digest',
    { notBefore: at(50), items: [] },
    undefined,
    { kind: 'timer', subject: 'the end of its digest' },
  ],
];

describe('a delivery waits for', () => {
  it.each(ROWS)('%s', (_name, delivery, job, expected) => {
    const sight = { now: NOW, ...(job !== undefined && { job }) };
    expect(deliveryWaitsOn({ ...base, ...delivery }, sight)).toMatchObject(expected);
  });

  it('nothing once it is final', () => {
    for (const status of DELIVERY_STATUSES) {
      expect(deliveryWaitsOn({ ...base, status }, { now: NOW }) === undefined, status).toBe(
        isFinal(status),
      );
    }
  });
});
