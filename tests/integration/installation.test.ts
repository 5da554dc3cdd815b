import { describe, expect, it } from 'vitest';
import { installationProbe, openInstallation } from '../../runtime/installation.ts';
import { type Instance, openWorld } from '../support/platform.ts';

const open = (node: Instance, own: readonly string[]) =>
  openInstallation({
    platform: node.platform,
    own,
    announces: true,
    serves: ['payment', 'email'],
  });

describe('a process that lacks what others of the installation have', () => {
  it('knows that they have it, is not ready, and says what is missing', async () => {
    const world = await openWorld();
    const all = await open(world.node, ['payment/http', 'email/smtp', 'sms/twilio']);
    await expect(installationProbe(all).probe()).resolves.toBeUndefined();
    const lacking = await open(await world.open(), ['email/smtp']);
    expect(lacking.has('payment/http')).toBe(true);
    expect(lacking.hasAny('sms')).toBe(true);
    expect(lacking.has('payment/sandbox')).toBe(false);
    expect(lacking.hasAny('push')).toBe(false);
    // What its pools do not serve is no loss to it.
    expect(lacking.lacks()).toEqual(['payment/http']);
    await expect(installationProbe(lacking).probe()).rejects.toMatchObject({
      code: 'worker_unfit',
      detail: expect.stringContaining('payment/http'),
    });
  });
});
