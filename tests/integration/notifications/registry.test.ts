import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseEnv } from '../../../config/env.ts';
import type { Provider, Providers } from '../../../core/notifications/ports.ts';
import { createEnvGuard, createProviders } from '../../../core/notifications/providers/registry.ts';
import { type StandIns, startStandIns } from '../../../scripts/dev/stand-ins/start.ts';
import { tools } from '../../support/sending.ts';

const providersOf = (source: Readonly<Record<string, string>>): Providers => {
  const env = parseEnv(source);
  return createProviders({ env, guard: createEnvGuard(env) });
};
const names = (providers: Providers) =>
  Object.fromEntries(
    Object.entries(providers).map(([channel, list]: [string, readonly { name: string }[]]) => [
      channel,
      list.map(({ name }) => name),
    ]),
  );

let standIns: StandIns;
beforeAll(async () => {
  standIns = await startStandIns();
});
afterAll(async () => {
  await standIns.close();
});

describe('the providers', () => {
  it('are none but webhooks when the environment names none', () => {
    const none = { email: [], sms: [], push: [], webhook: ['webhook'] };
    expect(names(providersOf({}))).toEqual(none);
  });

  it('stand in the order of preference', () => {
    const both = { ...standIns.env, MAIL_HTTP_URL: `${standIns.receiver.url}/emails` };
    expect(names(providersOf(both))).toEqual({
      ...{ email: ['smtp', 'email-http'], sms: ['twilio'] },
      ...{ push: ['fcm', 'webpush'], webhook: ['webhook'] },
    });
  });

  it('reach the stand-ins of this machine by what they print', async () => {
    const { email, sms, push, webhook } = providersOf(standIns.env);
    const { receiver, mail } = standIns;
    const [mailer] = email as readonly [Provider<'email'>];
    const [texter] = sms as readonly [Provider<'sms'>];
    const [fcm, browser] = push as readonly [Provider<'push'>, Provider<'push'>];
    const [hook] = webhook as readonly [Provider<'webhook'>];
    const words = { title: 'Hi', body: 'there', data: {} };
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    receiver.trust('demo', [secret]);
    const outcomes = await Promise.all([
      mailer.send({ to: 'ann@example.test', subject: 'Hi', text: 'there' }, tools()),
      texter.send({ to: '+4915112345678', text: 'Hi' }, tools()),
      fcm.send({ target: { kind: 'fcm', token: 'device-1' }, ...words }, tools()),
      browser.send({ target: { kind: 'webpush', ...receiver.subscribe() }, ...words }, tools()),
      hook.send(
        { url: `${receiver.url}/webhooks/demo`, secrets: [secret], id: 'evt_1', body: '{}' },
        tools(),
      ),
    ]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['sent', 'sent', 'sent', 'sent', 'sent']);

    const page = await (await fetch(receiver.url)).text();
    for (const text of ['ann@example.test', '+4915112345678', 'device-1', 'verified']) {
      expect(page).toContain(text);
    }
    const number = String(mail.mails()[0]?.number);
    expect(await (await fetch(`${receiver.url}/mails/${number}`)).text()).toContain('there');
    for (const provider of [mailer, texter, fcm, browser, hook]) await provider.close();
  });
});

describe('the guard', () => {
  it('lets nobody reach this machine unless the environment says so', async () => {
    const url = `${standIns.receiver.url}/webhooks/demo`;
    expect(await createEnvGuard(parseEnv({})).check(url)).toMatchObject({ ok: false });
    const lenient = parseEnv({ WEBHOOK_ALLOW_PRIVATE: 'loopback' });
    expect(await createEnvGuard(lenient).check(url)).toMatchObject({ ok: true });
  });
});
