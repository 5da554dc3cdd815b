import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../core/kernel/clock.ts';
import { createHttpClient } from '../../../core/outbound/http-client.ts';
import { createFcmProvider } from '../../../core/notifications/providers/fcm.ts';
import type { ServiceAccountKey } from '../../../core/notifications/providers/google-token.ts';
import type { SendTools } from '../../../core/notifications/ports.ts';
import { startReceiver } from '../../../scripts/dev/stand-ins/receiver.ts';
import { PAID, finished, openNotifying } from '../../support/notifying.ts';
import { onTestFinished } from 'vitest';

const TEN_MINUTES = 600_000;

describe('a worker whose clock is ten minutes off', () => {
  it.each([-TEN_MINUTES, TEN_MINUTES])(
    'by %i ms: its webhooks carry the time of the database, and are taken',
    async (skewMs) => {
      const notifying = await openNotifying({ isSilent: true });
      const { node, notify, endpoint, happen, standIns } = notifying;
      const clock = { ...systemClock, now: () => Date.now() + skewMs };
      notify({ ...node, platform: { ...node.platform, clock } });
      await endpoint('shop');
      await happen(PAID);
      const [delivery] = await finished(notifying, 1);
      const [got] = standIns.receiver.received('webhooks');
      expect(got).toMatchObject({ verdict: 'verified', status: 204 });
      const stampMs = Number(got?.headers['webhook-timestamp']) * 1_000;
      expect(Math.abs(stampMs - Date.now())).toBeLessThan(60_000);
      const atMs = delivery?.attempts[0]?.at.getTime() ?? 0;
      expect(Math.abs(atMs - Date.now())).toBeLessThan(60_000);
    },
  );

  it('what vouches for a push is dated by the time that a send is given', async () => {
    const receiver = await startReceiver();
    onTestFinished(() => receiver.close());
    const account = JSON.parse(receiver.fcm.serviceAccount(receiver.url)) as ServiceAccountKey;
    const http = createHttpClient({ keepAlive: false });
    const fcm = createFcmProvider({ url: receiver.url, account, http });
    const toolsAt = (ms: number): SendTools => ({
      key: 'dlv_1',
      signal: AbortSignal.timeout(10_000),
      now: () => Date.now() + ms,
    });
    const push = {
      target: { kind: 'fcm', token: 'device' },
      title: 'a',
      body: 'b',
      data: {},
    } as const;
    // A time of two hours ago makes a token that Google takes for an old one.
    expect(await fcm.send(push, toolsAt(-2 * 3_600_000))).toMatchObject({ code: 'auth_failed' });
    expect(await fcm.send(push, toolsAt(0))).toMatchObject({ kind: 'sent' });
  });
});
