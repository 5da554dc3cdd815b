import { z } from 'zod';
import type { HttpAnswer, HttpClient } from '../../outbound/http-client.ts';
import {
  faultOf,
  jsonOf,
  permanent,
  serverFault,
  throttled,
  transient,
} from '../delivery/outcome.ts';
import type { Provider, SendOutcome } from '../ports.ts';
import { badAddress, isMailAddress, messageIdOf } from './mail.ts';

export interface EmailHttpOptions {
  readonly url: string;
  readonly token: string | undefined;
  readonly from: string;
  readonly http: HttpClient;
}

const NAME = 'email-http';
const replySchema = z.object({ id: z.string().min(1).max(200) });

/** Mail by a JSON API in the form of Resend; the `Idempotency-Key` makes a repeat harmless there. */
export function createEmailHttpProvider(options: EmailHttpOptions): Provider<'email'> {
  const { from, http } = options;
  const url = new URL(options.url);
  const { token } = options;
  return Object.freeze({
    name: NAME,
    channel: 'email',
    breakerKey: () => NAME,
    accepts: () => true,
    send: async ({ to, subject, text, html }, { key, signal, now }): Promise<SendOutcome> => {
      if (!isMailAddress(to)) return badAddress();
      const reply = await http.post({
        url,
        headers: {
          'content-type': 'application/json',
          'idempotency-key': key,
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify({
          from,
          to: [to],
          subject,
          text,
          html,
          headers: { 'Message-ID': messageIdOf(key, from), 'Auto-Submitted': 'auto-generated' },
        }),
        signal,
      });
      return reply.kind === 'failed' ? faultOf(reply) : outcomeOf(reply, now());
    },
    close: async () => {
      http.close();
      return Promise.resolve();
    },
  } satisfies Provider<'email'>);
}

function outcomeOf(answer: HttpAnswer, now: number): SendOutcome {
  const { status } = answer;
  if (status >= 200 && status < 300) {
    const reference = replySchema.safeParse(jsonOf(answer)).data?.id;
    return { kind: 'sent', status, ...(reference !== undefined && { reference }) };
  }
  switch (status) {
    case 400:
    case 413:
    case 422:
      return permanent(answer);
    case 409: // the first request with that key is still under way
      return transient(answer);
    case 429:
      return throttled(answer, now);
    default:
      // Whatever else (no such path, no such token) is our set-up and befalls every mail.
      return status >= 500 ? serverFault(answer, now) : misconfigured(answer);
  }
}

function misconfigured({ status }: HttpAnswer): SendOutcome {
  const detail = `The mail API turned us away with ${String(status)}`;
  return { kind: 'fault', code: `http_${String(status)}`, detail, mayHaveSent: false, status };
}
