import { z } from 'zod';
import type { HttpAnswer, HttpClient, HttpReply } from '../../outbound/http-client.ts';
import { faultOf, jsonOf, permanent, serverFault, throttled } from '../delivery/outcome.ts';
import type { Provider, PushMessage, SendOutcome, SendTools } from '../ports.ts';
import { type ServiceAccountKey, createTokenSource } from './google-token.ts';

export interface FcmOptions {
  readonly url: string;
  readonly account: ServiceAccountKey;
  readonly http: HttpClient;
}

const NAME = 'fcm';
const UNAUTHENTICATED = 401;
const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging';
const FCM_ERROR = 'type.googleapis.com/google.firebase.fcm.v1.FcmError';

const sentSchema = z.object({ name: z.string().min(1).max(300) });
const errorSchema = z.object({
  error: z.object({
    details: z
      .array(z.looseObject({ '@type': z.string(), errorCode: z.string().max(60).optional() }))
      .default([]),
  }),
});

/** Push by Firebase Cloud Messaging, HTTP v1. A repeat takes the place of the first on the device. */
export function createFcmProvider({ url, account, http }: FcmOptions): Provider<'push'> {
  const endpoint = new URL(`/v1/projects/${account.project_id}/messages:send`, url);
  const tokens = createTokenSource({ account, scope: SCOPE, http });
  const attempt = async (
    body: string,
    { signal, now }: Pick<SendTools, 'signal' | 'now'>,
  ): Promise<SendOutcome> => {
    const access = await tokens.get({ signal, now });
    if (!access.ok) return withoutToken(access.reply, now());
    const { token } = access;
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    const reply = await http.post({ url: endpoint, headers, body, signal });
    if (reply.kind === 'failed') return faultOf(reply);
    if (reply.status === UNAUTHENTICATED) tokens.drop(token);
    return outcomeOf(reply, now());
  };

  return Object.freeze({
    name: NAME,
    channel: 'push',
    breakerKey: () => NAME,
    accepts: ({ target }) => target.kind === 'fcm',
    send: async (message, tools): Promise<SendOutcome> => {
      const body = bodyOf(message, tools.key);
      const first = await attempt(body, tools);
      // Once more with a new token: the one we kept may have been taken back.
      const isRefused = first.kind === 'fault' && first.status === UNAUTHENTICATED;
      return isRefused ? attempt(body, tools) : first;
    },
    close: async () => {
      http.close();
      return Promise.resolve();
    },
  } satisfies Provider<'push'>);
}

function bodyOf({ target, title, body, data }: PushMessage, key: string): string {
  return JSON.stringify({
    message: {
      token: target.kind === 'fcm' ? target.token : '',
      notification: { title, body },
      data,
      android: { notification: { tag: key } },
      apns: { headers: { 'apns-collapse-id': key.slice(0, 64) } },
    },
  });
}

/** No message was sent, whatever became of the request for the token. */
function withoutToken(reply: HttpReply, now: number): SendOutcome {
  if (reply.kind === 'failed') return { ...faultOf(reply), mayHaveSent: false };
  const { status } = reply;
  if (status === 429) return throttled(reply, now);
  const detail = `Google gave us no token (${String(status)})`;
  return { kind: 'fault', code: 'auth_failed', detail, mayHaveSent: false, status };
}

function outcomeOf(answer: HttpAnswer, now: number): SendOutcome {
  const { status } = answer;
  if (status >= 200 && status < 300) {
    const reference = sentSchema.safeParse(jsonOf(answer)).data?.name;
    return { kind: 'sent', status, ...(reference !== undefined && { reference }) };
  }
  const details = errorSchema.safeParse(jsonOf(answer)).data?.error.details ?? [];
  const code = details.find((detail) => detail['@type'] === FCM_ERROR)?.errorCode;
  switch (code) {
    case 'UNREGISTERED':
      return { ...permanent(answer, true), code };
    // The device is well: it is registered with another project than the one we send by, which we
    // have set up. Corrected, the same token is good.
    case 'SENDER_ID_MISMATCH':
    case 'INVALID_ARGUMENT':
      return { ...permanent(answer), code };
    case 'QUOTA_EXCEEDED':
      return throttled(answer, now);
    case undefined:
    default:
      return byStatus(answer, now);
  }
}

function byStatus(answer: HttpAnswer, now: number): SendOutcome {
  const { status } = answer;
  if (status === 429) return throttled(answer, now);
  if (status >= 500) return serverFault(answer, now);
  if (status === 400) return permanent(answer);
  // The project, its key or its address: it befalls every message.
  const detail = `FCM turned us away with ${String(status)}`;
  return { kind: 'fault', code: `http_${String(status)}`, detail, mayHaveSent: false, status };
}
