import type { HttpAnswer, HttpClient } from '../../outbound/http-client.ts';
import {
  faultOf,
  permanent,
  refused,
  serverFault,
  throttled,
  transient,
} from '../delivery/outcome.ts';
import type { UrlGuard } from '../../outbound/url-guard.ts';
import type { Provider, SendOutcome } from '../ports.ts';
import { hostKey } from './host-key.ts';
import { signatureHeader } from './webhook-signature.ts';

export interface WebhookDeps {
  readonly http: HttpClient;
  readonly guard: UrlGuard;
}

const NAME = 'webhook';

/**
 * Standard Webhooks 1.0.0: the id of the message on every attempt, the time of this one, a
 * signature for each secret. Any status of 2xx is taken as received, whatever becomes of the body.
 */
export function createWebhookProvider({ http, guard }: WebhookDeps): Provider<'webhook'> {
  return Object.freeze({
    name: NAME,
    channel: 'webhook',
    breakerKey: ({ url }, tenantId) => `${NAME}:${tenantId}:${hostKey(url)}`,
    accepts: () => true,
    send: async ({ url, secrets, id, body }, { signal, now }): Promise<SendOutcome> => {
      const verdict = await guard.check(url);
      if (!verdict.ok) return refused(verdict);
      const timestamp = String(Math.floor(now() / 1_000));
      const reply = await http.post({
        url: verdict.url,
        addresses: verdict.addresses,
        headers: {
          'content-type': 'application/json',
          'user-agent': 'Sluice-Webhooks/1.0',
          'webhook-id': id,
          'webhook-timestamp': timestamp,
          'webhook-signature': signatureHeader(secrets, { id, timestamp, body }),
        },
        body,
        signal,
      });
      return reply.kind === 'failed' ? faultOf(reply) : outcomeOf(reply, now());
    },
    close: async () => {
      http.close();
      return Promise.resolve();
    },
  } satisfies Provider<'webhook'>);
}

/** A 3xx fails as any other: an attempt later it may have been corrected. */
function outcomeOf(answer: HttpAnswer, now: number): SendOutcome {
  const { status } = answer;
  if (status >= 200 && status < 300) return { kind: 'sent', status };
  if (status === 410) return permanent(answer, true);
  if (status === 429) return throttled(answer, now);
  return status >= 500 ? serverFault(answer, now) : transient(answer);
}
