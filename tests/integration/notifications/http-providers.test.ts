import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createHttpClient } from '../../../core/outbound/http-client.ts';
import { createEmailHttpProvider } from '../../../core/notifications/providers/email-http.ts';
import { createTwilioProvider } from '../../../core/notifications/providers/twilio.ts';
import { type Receiver, startReceiver } from '../../../scripts/dev/stand-ins/receiver.ts';
import { tools } from '../../support/sending.ts';

let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
});
afterEach(() => {
  receiver.clear();
});
afterAll(async () => {
  await receiver.close();
});

describe('SMS by the form of Twilio', () => {
  const twilio = (change: { readonly token?: string; readonly from?: string } = {}) =>
    createTwilioProvider({
      url: receiver.url,
      ...receiver.sms,
      from: '+15005550006',
      http: createHttpClient({ keepAlive: false }),
      ...change,
    });
  const SMS = { to: '+4915112345678', text: 'Grüße & 12,50 € = 100 %' };

  it('arrives as it was written', async () => {
    const outcome = await twilio().send(SMS, tools());
    expect(outcome).toMatchObject({ kind: 'sent', status: 201 });
    expect(outcome).toHaveProperty('reference', expect.stringMatching(/^SM[0-9a-f]{32}$/));
    expect(receiver.received('sms')).toMatchObject([
      { content: { To: SMS.to, From: '+15005550006', Body: SMS.text } },
    ]);
  });

  it('is sent by a messaging service where the sender is one', async () => {
    const service = `MG${'0'.repeat(32)}`;
    await twilio({ from: service }).send(SMS, tools());
    const [got] = receiver.received('sms');
    expect(got?.content).toMatchObject({ MessagingServiceSid: service });
    expect(got?.content).not.toHaveProperty('From');
  });

  it.each([
    ['+15005550001', { kind: 'permanent', code: 'twilio_21211', isGone: true }],
    ['+15005550002', { kind: 'permanent', code: 'twilio_21612' }],
    ['+15005550003', { kind: 'permanent', code: 'twilio_21408' }],
    ['+15005550004', { kind: 'permanent', code: 'twilio_21610', isGone: true }],
    ['+15005550009', { kind: 'permanent', code: 'twilio_21614', isGone: true }],
  ] as const)('cannot go to %s', async (to, expected) => {
    const outcome = await twilio().send({ ...SMS, to }, tools());
    expect(outcome).toMatchObject(expected);
    if (!('isGone' in expected)) expect(outcome).not.toHaveProperty('isGone');
  });

  it.each(['0151 12345', '+0151', '4915112345678', '+49\r\n', '+123', ''])(
    'is not even tried with the number %j',
    async (to) => {
      const outcome = await twilio().send({ ...SMS, to }, tools());
      expect(outcome).toMatchObject({ kind: 'permanent', code: 'bad_number' });
      expect(receiver.received('sms')).toEqual([]);
    },
  );

  it('is nobody’s fault but ours with a wrong token', async () => {
    const outcome = await twilio({ token: 'wrong' }).send(SMS, tools());
    expect(outcome).toMatchObject({
      ...{ kind: 'fault', code: 'twilio_20003', mayHaveSent: false, status: 401 },
    });
  });

  it('waits when Twilio says so', async () => {
    receiver.inject({ on: 'sms', kind: 'throttle', retryAfter: '3' });
    const outcome = await twilio().send(SMS, tools());
    expect(outcome).toEqual({ kind: 'throttled', retryAfterMs: 3_000, status: 429 });
  });

  it.each([
    [
      { kind: 'status', status: 500 },
      { kind: 'fault', mayHaveSent: true },
    ],
    [
      { kind: 'status', status: 503 },
      { kind: 'fault', mayHaveSent: false },
    ],
    [{ kind: 'hang' }, { kind: 'fault', code: 'timeout', mayHaveSent: true }],
    [{ kind: 'effect-then-close' }, { kind: 'fault', mayHaveSent: true }],
    [{ kind: 'redirect' }, { kind: 'fault', mayHaveSent: false, status: 302 }],
    [{ kind: 'huge' }, { kind: 'sent', status: 200 }],
  ] as const)('knows whether it may be out: %j', async (fault, expected) => {
    receiver.inject({ on: 'sms', ...fault });
    expect(await twilio().send(SMS, tools(500))).toMatchObject(expected);
  });

  it('cannot be out when nobody took the call', async () => {
    const gone = await startReceiver();
    await gone.close();
    const provider = createTwilioProvider({
      ...{ url: gone.url, ...gone.sms, from: '+15005550006' },
      http: createHttpClient({ keepAlive: false }),
    });
    const outcome = await provider.send(SMS, tools());
    expect(outcome).toMatchObject({ kind: 'fault', code: 'connect_refused', mayHaveSent: false });
  });
});

describe('mail by an HTTP API', () => {
  const api = (token = receiver.emailToken) =>
    createEmailHttpProvider({
      url: `${receiver.url}/emails`,
      token,
      from: 'Sluice <pay@sluice.test>',
      http: createHttpClient({ keepAlive: true }),
    });
  const MAIL = { to: 'ann@example.test', subject: 'Grüße', text: 'Text', html: '<p>Text</p>' };

  it('arrives with its text and its html', async () => {
    const outcome = await api().send(MAIL, tools(5_000, 'dlv_7'));
    expect(outcome).toMatchObject({ kind: 'sent', status: 200 });
    const { to, ...rest } = MAIL;
    expect(receiver.received('emails')).toMatchObject([
      { content: { ...rest, to: [to], headers: { 'Message-ID': '<dlv_7@sluice.test>' } } },
    ]);
  });

  it('is taken once, however often it is sent', async () => {
    receiver.inject({ on: 'emails', kind: 'effect-then-close' });
    const provider = api();
    const first = await provider.send(MAIL, tools(5_000, 'dlv_8'));
    expect(first).toMatchObject({ kind: 'fault', mayHaveSent: true });
    const second = await provider.send(MAIL, tools(5_000, 'dlv_8'));
    expect(second).toMatchObject({ kind: 'sent' });
    const shown = receiver.received('emails').map(({ content }) => content);
    expect(shown).toMatchObject([{ isRepeat: false }, { isRepeat: true }]);
  });

  it.each([
    [422, { kind: 'permanent' }],
    [409, { kind: 'transient' }],
    [429, { kind: 'throttled', retryAfterMs: 2_000 }],
    [404, { kind: 'fault', mayHaveSent: false }],
    [500, { kind: 'fault', mayHaveSent: true }],
  ] as const)('is answered with %s', async (status, expected) => {
    receiver.inject({ on: 'emails', kind: 'status', status, retryAfter: '2' });
    expect(await api().send(MAIL, tools())).toMatchObject({ ...expected, status });
  });

  it('goes to one plain address', async () => {
    const outcome = await api().send({ ...MAIL, to: 'a@x.test,b@x.test' }, tools());
    expect(outcome).toMatchObject({ kind: 'permanent', code: 'bad_address' });
  });

  it('is nobody’s fault but ours with a wrong token', async () => {
    const outcome = await api('wrong').send(MAIL, tools());
    expect(outcome).toMatchObject({ kind: 'fault', mayHaveSent: false, status: 401 });
  });
});
