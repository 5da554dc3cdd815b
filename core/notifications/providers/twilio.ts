import { z } from 'zod';
import type { HttpAnswer, HttpClient } from '../../outbound/http-client.ts';
import { faultOf, jsonOf, serverFault, throttled } from '../delivery/outcome.ts';
import type { Provider, SendOutcome } from '../ports.ts';

export interface TwilioOptions {
  readonly url: string;
  readonly account: string;
  readonly token: string;
  /** A number in E.164, a sender id, or the SID of a messaging service. */
  readonly from: string;
  /** Without kept connections: nothing here makes a repeat harmless. */
  readonly http: HttpClient;
}

const NAME = 'twilio';
const E164 = /^\+[1-9]\d{6,14}$/;

const sentSchema = z.object({ sid: z.string().min(1).max(64) });
const errorSchema = z.object({ code: z.int(), message: z.string().max(500).optional() });

/** Twilio's codes: about this recipient or text, and those after which the number is of no use. */
const PERMANENT: ReadonlySet<number> = new Set([
  ...[21211, 21214, 21217, 21219, 21265, 21408, 21421, 21602, 21604, 21605, 21610, 21612],
  ...[21614, 21617, 21619, 21635],
]);
const GONE: ReadonlySet<number> = new Set([21211, 21217, 21610, 21614]);
/** Too many requests; a full queue of the sender. */
const THROTTLED: ReadonlySet<number> = new Set([20429, 21611, 14107]);

/** SMS by Twilio, or by what speaks its form. */
export function createTwilioProvider(options: TwilioOptions): Provider<'sms'> {
  const { account, token, from, http } = options;
  const url = new URL(`/2010-04-01/Accounts/${account}/Messages.json`, options.url);
  const authorization = `Basic ${Buffer.from(`${account}:${token}`).toString('base64')}`;
  const sender = /^MG[0-9a-f]{32}$/.test(from) ? { MessagingServiceSid: from } : { From: from };
  return Object.freeze({
    name: NAME,
    channel: 'sms',
    breakerKey: () => NAME,
    accepts: () => true,
    send: async ({ to, text }, { signal, now }): Promise<SendOutcome> => {
      if (!E164.test(to)) {
        const detail = 'That is no phone number in E.164';
        return { kind: 'permanent', code: 'bad_number', detail };
      }
      const reply = await http.post({
        url,
        headers: { 'content-type': 'application/x-www-form-urlencoded', authorization },
        body: new URLSearchParams({ To: to, ...sender, Body: text }).toString(),
        signal,
      });
      return reply.kind === 'failed' ? faultOf(reply) : outcomeOf(reply, now());
    },
    close: async () => {
      http.close();
      return Promise.resolve();
    },
  } satisfies Provider<'sms'>);
}

function outcomeOf(answer: HttpAnswer, now: number): SendOutcome {
  const { status } = answer;
  if (status >= 200 && status < 300) {
    const reference = sentSchema.safeParse(jsonOf(answer)).data?.sid;
    return { kind: 'sent', status, ...(reference !== undefined && { reference }) };
  }
  const error = errorSchema.safeParse(jsonOf(answer)).data;
  if (status === 429 || THROTTLED.has(error?.code ?? 0)) return throttled(answer, now);
  if (status >= 500) return serverFault(answer, now);
  return refusalOf(status, error);
}

function refusalOf(status: number, error: z.infer<typeof errorSchema> | undefined): SendOutcome {
  const code = `twilio_${String(error?.code ?? status)}`;
  const detail = error?.message ?? `The answer was ${String(status)}`;
  if (error !== undefined && PERMANENT.has(error.code)) {
    const isGone = GONE.has(error.code);
    return { kind: 'permanent', code, detail, status, ...(isGone && { isGone }) };
  }
  // The account, its token or its sender: it befalls every message.
  return { kind: 'fault', code, detail, mayHaveSent: false, status };
}
