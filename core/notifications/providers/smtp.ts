import type { Readable } from 'node:stream';
import { createTransport } from 'nodemailer';
import { LIMITS } from '../../../config/limits.ts';
import { startDeadline } from '../../outbound/deadline.ts';
import type { Provider, SendOutcome } from '../ports.ts';
import { badAddress, isMailAddress, messageIdOf } from './mail.ts';
import { type SmtpTrouble, smtpOutcome } from './smtp-outcome.ts';

export interface SmtpOptions {
  /** `smtp://user:password@host:port`, or `smtps://…`. */
  readonly url: string;
  readonly from: string;
}

const NAME = 'smtp';

/** Mail over a pool of SMTP connections. A repeat has the Message-ID of the first. */
export function createSmtpProvider({ url, from }: SmtpOptions): Provider<'email'> {
  const transport = createTransport({
    pool: true,
    url,
    maxConnections: LIMITS.smtpConnectionsMax,
    maxMessages: LIMITS.smtpMessagesPerConnectionMax,
    // Once, and only for a message of which nothing was sent (an idle connection had been closed).
    maxRequeues: 1,
    connectionTimeout: LIMITS.providerConnectMs,
    greetingTimeout: LIMITS.providerConnectMs,
    socketTimeout: LIMITS.providerAttemptMs,
    idleTimeout: LIMITS.providerIdleMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const contents = new WeakMap<AbortSignal, Readable>();
  transport.use('stream', (mail, done) => {
    const signal = mail.data.signal;
    mail.message.processFunc((content) => {
      if (signal !== undefined && signal !== null) contents.set(signal, content);
      return content;
    });
    done();
  });

  return Object.freeze({
    name: NAME,
    channel: 'email',
    breakerKey: () => NAME,
    accepts: () => true,
    send: async (message, tools): Promise<SendOutcome> => {
      if (!isMailAddress(message.to)) return badAddress();
      const { signal, release } = startDeadline(tools.signal, LIMITS.providerAttemptMs);
      try {
        const messageId = messageIdOf(tools.key, from);
        await transport.sendMail({
          from,
          // As an object it is one address, never a list that somebody has smuggled in.
          to: { name: '', address: message.to },
          subject: message.subject,
          text: message.text,
          ...(message.html !== undefined && { html: message.html }),
          headers: { 'auto-submitted': 'auto-generated' },
          messageId,
          signal,
        });
        return { kind: 'sent', reference: messageId };
      } catch (error) {
        const wasHandedOver = contents.get(signal)?.readableDidRead === true;
        return smtpOutcome(error as SmtpTrouble, { wasHandedOver, isLate: signal.aborted });
      } finally {
        release();
      }
    },
    close: async () => {
      transport.close();
      return Promise.resolve();
    },
  } satisfies Provider<'email'>);
}
