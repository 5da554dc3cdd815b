import { type Server, createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Provider } from '../../../core/notifications/ports.ts';
import { createSmtpProvider } from '../../../core/notifications/providers/smtp.ts';
import { type MailServer, startMailServer } from '../../../scripts/dev/stand-ins/mail-server.ts';
import { tools } from '../../support/sending.ts';
import { until } from '../../support/wait.ts';

const MAIL = {
  to: 'ann@example.test',
  subject: 'Grüße: 12,50 €',
  text: 'You got 12,50 €.\n.\nA line that is one dot.',
  html: '<p>You got <b>12,50 €</b>.</p>',
};

let server: MailServer;
let smtp: Provider<'email'>;

beforeEach(async () => {
  server = await startMailServer();
  smtp = createSmtpProvider({ url: server.url, from: 'Sluice <pay@sluice.test>' });
});
afterEach(async () => {
  await smtp.close();
  await server.close();
});

describe('a mail', () => {
  it('arrives with its text and its html', async () => {
    const outcome = await smtp.send(MAIL, tools(10_000, 'dlv_1'));
    expect(outcome).toEqual({ kind: 'sent', reference: '<dlv_1@sluice.test>' });
    const [mail] = server.mails();
    expect(mail).toMatchObject({
      from: 'pay@sluice.test',
      to: [MAIL.to],
      subject: MAIL.subject,
      messageId: '<dlv_1@sluice.test>',
    });
    expect(mail?.text.trim()).toBe(MAIL.text);
    expect(mail?.html.trim()).toBe(MAIL.html);
    expect(mail?.raw).toMatch(/^Auto-Submitted: auto-generated\r?$/m);
  });

  it('has the same Message-ID when it is sent again', async () => {
    await smtp.send(MAIL, tools(10_000, 'dlv_1'));
    await smtp.send(MAIL, tools(10_000, 'dlv_1'));
    const ids = server.mails().map(({ messageId }) => messageId);
    expect(ids).toEqual(['<dlv_1@sluice.test>', '<dlv_1@sluice.test>']);
  });

  it('shares connections with others', async () => {
    const mails = Array.from({ length: 40 }, async () => smtp.send(MAIL, tools()));
    const outcomes = await Promise.all(mails);
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['sent']));
    expect(server.mails()).toHaveLength(40);
    expect(server.connections()).toBeLessThanOrEqual(5);
  });

  it.each(['a@x.test, b@x.test', 'a@x.test\r\nBcc: b@x.test', 'Ann <a@x.test>', 'nobody', '@x'])(
    'goes to one plain address, not to %j',
    async (to) => {
      const outcome = await smtp.send({ ...MAIL, to }, tools());
      expect(outcome).toMatchObject({ kind: 'permanent', code: 'bad_address' });
      expect(server.mails()).toEqual([]);
    },
  );

  it('takes no header from its subject', async () => {
    await smtp.send({ ...MAIL, subject: 'Hi\r\nBcc: eve@example.test' }, tools());
    const [mail] = server.mails();
    expect(mail?.raw).not.toMatch(/^Bcc:/im);
    expect(mail?.to).toEqual([MAIL.to]);
  });
});

describe('what the server replies', () => {
  it.each([
    ['rcpt', '550 5.1.1 No such user', { kind: 'permanent', code: 'smtp_550', isGone: true }],
    ['rcpt', '550 5.7.1 Refused by policy', { kind: 'permanent', code: 'smtp_550' }],
    ['rcpt', '451 4.7.1 Greylisted', { kind: 'throttled', status: 451 }],
    ['rcpt', '452 4.2.2 Mailbox full', { kind: 'transient', code: 'smtp_452' }],
    ['data', '554 5.7.1 Spam', { kind: 'permanent', code: 'smtp_554', status: 554 }],
    ['data', '451 4.3.0 Try later', { kind: 'transient', code: 'smtp_451' }],
    ['mail', '550 5.7.1 Sender refused', { kind: 'fault', mayHaveSent: false }],
    ['mail', '552 5.3.4 Too big', { kind: 'permanent', code: 'smtp_552' }],
    ['connect', '421 4.3.2 Shutting down', { kind: 'fault', mayHaveSent: false }],
    ['connect', '554 5.3.2 Not today', { kind: 'fault', mayHaveSent: false }],
  ] as const)('at %s: %s', async (on, reply, expected) => {
    server.inject({ on, reply });
    const outcome = await smtp.send(MAIL, tools());
    expect(outcome).toMatchObject(expected);
    if (!('isGone' in expected)) expect(outcome).not.toHaveProperty('isGone');
    expect(await smtp.send(MAIL, tools())).toMatchObject({ kind: 'sent' });
  });

  it('says that a mail may have got through when the server keeps it and then says nothing', async () => {
    server.inject({ on: 'data' });
    const outcome = await smtp.send(MAIL, tools(500));
    expect(outcome).toMatchObject({ kind: 'fault', code: 'timeout', mayHaveSent: true });
    expect(server.mails()).toHaveLength(1);
    expect(await smtp.send(MAIL, tools())).toMatchObject({ kind: 'sent' });
  });

  it('says that it cannot have got through when the server hangs before the text', async () => {
    server.inject({ on: 'rcpt' });
    const outcome = await smtp.send(MAIL, tools(500));
    expect(outcome).toMatchObject({ kind: 'fault', code: 'timeout', mayHaveSent: false });
  });

  it('never sends later what it has given up', async () => {
    server.inject({ on: 'mail', times: 5 }); // every connection of the pool hangs
    const hanging = Array.from({ length: 5 }, async () => smtp.send(MAIL, tools(1_000)));
    const waiting = smtp.send({ ...MAIL, subject: 'too late' }, tools(200));
    expect(await waiting).toMatchObject({ kind: 'fault', code: 'timeout', mayHaveSent: false });
    await Promise.all(hanging);
    expect(await smtp.send(MAIL, tools())).toMatchObject({ kind: 'sent' });
    expect(server.mails().map(({ subject }) => subject)).toEqual([MAIL.subject]);
  });

  it('needs the right password', async () => {
    const strict = await startMailServer({ login: { user: 'sluice', password: 'right' } });
    const right = createSmtpProvider({ url: strict.url, from: 'pay@sluice.test' });
    const wrong = createSmtpProvider({
      url: strict.url.replace('right', 'wrong'),
      from: 'pay@sluice.test',
    });
    expect(await right.send(MAIL, tools())).toMatchObject({ kind: 'sent' });
    expect(await wrong.send(MAIL, tools())).toMatchObject({
      ...{ kind: 'fault', code: 'auth_failed', mayHaveSent: false },
    });
    await Promise.all([right.close(), wrong.close(), strict.close()]);
  });
});

describe('a mail server that is no good', () => {
  const outcomeFrom = async (other: Server, deadlineMs: number) => {
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const url = `smtp://127.0.0.1:${String(port)}`;
    const provider = createSmtpProvider({ url, from: 'pay@sluice.test' });
    const outcome = await provider.send(MAIL, tools(deadlineMs));
    await provider.close();
    other.close();
    return outcome;
  };

  it('is at fault when it is not there', async () => {
    await server.close();
    const outcome = await smtp.send(MAIL, tools());
    expect(outcome).toMatchObject({
      ...{ kind: 'fault', code: 'connection_failed', mayHaveSent: false },
    });
  });

  it('is at fault when it never greets', async () => {
    const outcome = await outcomeFrom(createServer(), 300);
    expect(outcome).toMatchObject({ kind: 'fault', code: 'timeout', mayHaveSent: false });
  });

  it('is at fault when it hangs up', async () => {
    const outcome = await outcomeFrom(
      createServer((socket) => socket.destroy()),
      5_000,
    );
    expect(outcome).toMatchObject({ kind: 'fault', mayHaveSent: false });
  });

  it('is called again when it is back', async () => {
    await smtp.send(MAIL, tools());
    const port = Number(new URL(server.url).port);
    await server.close();
    await until(async () => (await smtp.send(MAIL, tools(500))).kind === 'fault', 'a fault');
    server = await startMailServer({ port });
    await until(async () => (await smtp.send(MAIL, tools())).kind === 'sent', 'a mail');
  });
});
