import { describe, expect, it } from 'vitest';
import { SETTING_NAMES, providersOf, rowOf } from '../../../../config/settings.ts';
import { record, samplesOf, BREAKER } from '../../../../core/notifications/admission/breaker.ts';
import { decideChange } from '../../../../core/service-config/decide-change.ts';
import type { ConfigValues } from '../../../../core/service-config/config-document.ts';
import { loadedFrom } from '../../../../core/service-config/loaded.ts';
import { pairProblems } from '../../../../core/service-config/pair-rules.ts';
import { checkSubject, pauseOn, type Pause } from '../../../../core/service-config/pause.ts';
import { valueProblems } from '../../../../core/service-config/check-values.ts';
import { BUILT_IN, createSettings } from '../../../../core/service-config/settings.ts';

const NONE: ReadonlyMap<string, ConfigValues> = new Map();

describe('what is built in', () => {
  it('is what its own rows allow, and contradicts itself nowhere', () => {
    const wrong = SETTING_NAMES.flatMap((name) => {
      const { default: usual, byChannel } = rowOf(name);
      const others = byChannel === undefined ? [] : Object.values(byChannel);
      return [usual, ...others].flatMap((value) => valueProblems({ [name]: value }, {}));
    });
    expect(wrong).toEqual([]);
    expect(pairProblems(BUILT_IN, [{}])).toEqual([]);
    expect(providersOf('payment.timeoutMs')).toEqual(['sandbox', 'http']);
  });
});

describe('a change', () => {
  const standing = (stored: Readonly<Record<string, ConfigValues>>, scope = {}) => ({
    ...{ scope, version: 1, expectedVersion: undefined, environment: NONE },
    stored: new Map(Object.entries(stored)),
  });

  it('of the installation is refused when it contradicts what a tenant has set', () => {
    const stored = { 'tenant:acme': { 'payment.retryBaseMs': 50_000 } };
    const change = { set: { 'payment.retryCapMs': 40_000 }, unset: [] };
    expect(() => decideChange(change, standing(stored))).toThrow('for tenant acme');
    expect(decideChange(change, standing({})).changes).toEqual([
      { name: 'payment.retryCapMs', after: 40_000 },
    ]);
  });

  it('is not refused for what contradicted itself before', () => {
    const stored = { installation: { 'payment.retryBaseMs': 600_000 } };
    const change = { set: { 'saga.concurrency': 64 }, unset: [] };
    expect(decideChange(change, standing(stored)).values).toMatchObject({ 'saga.concurrency': 64 });
  });
});

describe('documents', () => {
  const doc = (_id: string, scope: object, values: unknown) => ({
    ...{ _id, scope, values, version: 2, author: 'a', reason: 'r', updatedAt: new Date(0) },
  });

  it('that are not good harm no other', () => {
    const before = new Map([['tenant:a', { 'delivery.tenantShareMax': 9 }]]);
    const { stored, invalid, unknown } = loadedFrom(
      [
        doc('installation', {}, { 'saga.concurrency': 64, 'warp.factor': 9 }),
        doc('tenant:a', { tenant: 'a' }, { 'delivery.tenantShareMax': -1 }),
        doc('tenant:b', { tenant: 'c' }, {}),
        'nonsense',
      ],
      before,
    );
    expect([...stored.keys()]).toEqual(['tenant:a', 'installation']);
    expect(stored.get('tenant:a')).toEqual({ 'delivery.tenantShareMax': 9 });
    expect(invalid.map(({ scopeKey, fallback }) => [scopeKey, fallback])).toEqual([
      ['tenant:a', 'last-good'],
      ['tenant:b', 'nothing'],
      ['undefined', 'nothing'],
    ]);
    expect(unknown).toEqual(['warp.factor']);
  });
});

describe('whose word counts', () => {
  it('is that of the tenant, then of the provider, then of the channel', () => {
    const name = 'delivery.timeoutMs';
    const settings = createSettings({
      environment: new Map([['channel:sms', { [name]: 1 }]]),
      stored: new Map([
        ['installation', { [name]: 2 }],
        ['channel:sms', { [name]: 3 }],
        ['provider:twilio', { [name]: 4 }],
        ['tenant:acme', { [name]: 5 }],
      ]),
    });
    const read = (scope: object) => settings.read(name, scope);
    expect(read({ channel: 'email' })).toBe(2);
    expect(read({ channel: 'sms' })).toBe(3);
    expect(read({ channel: 'sms', provider: 'twilio' })).toBe(4);
    expect(read({ channel: 'sms', provider: 'twilio', tenant: 'acme' })).toBe(5);
  });
});

describe('a breaker whose window is changed', () => {
  it('starts counting anew instead of counting what has other numbers', () => {
    const bad = { isGood: false, isProbe: false };
    const nowMs = 1_000_000_000;
    const state = record(
      { phase: 'closed', untilMs: 0, trips: 0, buckets: [] },
      ...([bad, { nowMs }] as const),
    );
    expect(samplesOf(state, nowMs).bad).toBe(1);
    const wider = { ...BREAKER, windowMs: 600_000 };
    const narrower = { ...BREAKER, windowMs: 6_000 };
    expect(samplesOf(state, nowMs, wider).bad).toBe(0);
    expect(samplesOf(state, nowMs, narrower).bad).toBe(0);
  });
});

describe('a pause', () => {
  const pause = (subject: Pause['subject'], since = 0): Pause => ({
    ...{ _id: 'pau_1', key: 'k', subject, reason: 'r', author: 'a', since: new Date(since) },
  });

  it('is of what all of it applies to; of several the oldest tells', () => {
    const both = pause({ type: 'transfer', tenant: 'acme' }, 2);
    expect(pauseOn([both], { type: 'transfer', tenant: 'acme', lane: 3 })).toBe(both);
    expect(pauseOn([both], { type: 'transfer', tenant: 'other' })).toBeUndefined();
    expect(pauseOn([both], { channel: 'sms', tenant: 'acme' })).toBeUndefined();
    const older = pause({ tenant: 'acme' }, 1);
    expect(pauseOn([both, older], { type: 'transfer', tenant: 'acme' })).toBe(older);
    const resuming = { ...older, resuming: { perSecond: 1 } };
    expect(pauseOn([resuming], { tenant: 'acme' })).toBeUndefined();
  });

  it.each([{}, { type: 'transfer', provider: 'http' }, { lane: 1, channel: 'sms' as const }])(
    'that could be of nothing is refused: %j',
    (subject) => {
      expect(() => {
        checkSubject(subject);
      }).toThrow('invalid_pause');
    },
  );
});
