import { describe, expect, it } from 'vitest';
import { parseEnv } from '../../../../config/env.ts';
import { POLICIES, policiesWith } from '../../../../core/notifications/policies.ts';

const policiesOf = (text: string) =>
  policiesWith(parseEnv({ DELIVERY_POLICIES: text }).DELIVERY_POLICIES);

describe('what an installation sets of a channel', () => {
  it('is set, and all the rest is as built in', () => {
    expect(policiesWith(parseEnv({}).DELIVERY_POLICIES)).toEqual(POLICIES);
    const policies = policiesOf('{"webhook":{"inFlightMax":64},"sms":{"ratePerSecond":50}}');
    expect(policies.webhook).toEqual({ ...POLICIES.webhook, inFlightMax: 64 });
    expect(policies.sms).toEqual({ ...POLICIES.sms, ratePerSecond: 50 });
    expect(policies.email).toEqual(POLICIES.email);
  });

  it('is refused where an attempt could outlive its lease, and so be made twice', () => {
    expect(() => policiesOf('{"sms":{"timeoutMs":26000}}')).toThrow('outlive its lease');
  });

  it.each(['{', '[]', '{"fax":{}}', '{"sms":{"isAtMostOnce":false}}', '{"sms":{"inFlightMax":0}}'])(
    'is refused where it makes no sense: %s',
    (text) => {
      expect(() => policiesOf(text)).toThrow('DELIVERY_POLICIES');
    },
  );
});
