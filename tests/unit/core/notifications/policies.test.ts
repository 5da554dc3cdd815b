import { describe, expect, it } from 'vitest';
import { parseEnv } from '../../../../config/env.ts';
import { POLICIES, policiesOf, policyAt } from '../../../../core/notifications/policies.ts';
import type { ConfigValues } from '../../../../core/service-config/config-document.ts';
import { createSettings } from '../../../../core/service-config/settings.ts';
import { environmentSettings } from '../../../../runtime/environment-settings.ts';

const environmentOf = (text?: string) =>
  environmentSettings(parseEnv(text === undefined ? {} : { DELIVERY_POLICIES: text }));

const settingsOf = (text?: string, stored: Readonly<Record<string, ConfigValues>> = {}) =>
  createSettings({ environment: environmentOf(text), stored: new Map(Object.entries(stored)) });

describe('what an installation sets of a channel', () => {
  it('is set, and all the rest is as built in', () => {
    expect(policiesOf(settingsOf())).toEqual(POLICIES);
    const text = '{"webhook":{"inFlightMax":64},"sms":{"ratePerSecond":50}}';
    const policies = policiesOf(settingsOf(text));
    expect(policies.webhook).toEqual({ ...POLICIES.webhook, inFlightMax: 64 });
    expect(policies.sms).toEqual({ ...POLICIES.sms, ratePerSecond: 50 });
    expect(policies.email).toEqual(POLICIES.email);
  });

  it('is refused where an attempt could outlive its lease, and so be made twice', () => {
    expect(() => environmentOf('{"sms":{"timeoutMs":26000}}')).toThrow('from 100 to 25000');
  });

  it.each(['{', '[]', '{"fax":{}}', '{"sms":{"isAtMostOnce":false}}', '{"sms":{"inFlightMax":0}}'])(
    'is refused where it makes no sense: %s',
    (text) => {
      expect(() => environmentOf(text)).toThrow('DELIVERY_POLICIES');
    },
  );

  it('gives way to what is stored, and that of all to that of a tenant and of a provider', () => {
    const settings = settingsOf('{"sms":{"timeoutMs":9000}}', {
      'channel:sms': { 'delivery.ratePerSecond': 7 },
      'provider:twilio': { 'delivery.timeoutMs': 4_000 },
      'tenant:acme/channel:sms': { 'delivery.pausesMs': [1], 'delivery.timeoutMs': 2_000 },
    });
    const usual = policiesOf(settings).sms;
    expect(usual).toMatchObject({
      timeoutMs: 9_000,
      ratePerSecond: 7,
      pausesMs: [20_000, 120_000],
    });
    expect(policyAt(usual, 'twilio').timeoutMs).toBe(4_000);
    const own = policiesOf(settings, 'acme').sms;
    expect(own).toMatchObject({ timeoutMs: 2_000, ratePerSecond: 7, pausesMs: [1] });
    expect(policyAt(own, 'twilio').timeoutMs).toBe(2_000);
  });
});
