import { createECDH, createHash, createPrivateKey } from 'node:crypto';
import { LIMITS } from '../../../config/limits.ts';
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
import type { Provider, PushMessage, SendOutcome } from '../ports.ts';
import { hostKey } from './host-key.ts';
import { signJwt } from './jwt.ts';
import { PAYLOAD_BYTES_MAX, encryptPayload } from './web-push-payload.ts';

export interface WebPushOptions {
  /** Both as base64url: an uncompressed point, and 32 bytes. */
  readonly publicKey: string;
  readonly privateKey: string;
  /** `mailto:` or `https:`. */
  readonly subject: string;
  readonly http: HttpClient;
  /** A subscription's address comes from a browser, so from anybody. */
  readonly guard: UrlGuard;
}

const NAME = 'webpush';
/** Services refuse more than a day. */
const VOUCHER_SECONDS = 12 * 3_600;
const TOPIC_CHARS = 32;

/**
 * Push to browsers (RFC 8030) with VAPID (RFC 8292). A repeat takes the place of a first one that
 * is still waiting for its browser.
 *
 * @throws Error when the keys are not a pair.
 */
export function createWebPushProvider(options: WebPushOptions): Provider<'push'> {
  const { publicKey, subject, http, guard } = options;
  const key = vapidKey(options);
  const vouch = (origin: string, nowMs: number): string => {
    const exp = Math.floor(nowMs / 1_000) + VOUCHER_SECONDS;
    const claims = { aud: origin, exp, sub: subject };
    return `vapid t=${signJwt({ algorithm: 'ES256', key, claims })}, k=${publicKey}`;
  };

  return Object.freeze({
    name: NAME,
    channel: 'push',
    breakerKey: ({ target }, tenantId) =>
      target.kind === 'webpush' ? `${NAME}:${tenantId}:${hostKey(target.endpoint)}` : NAME,
    accepts: ({ target }) => target.kind === 'webpush',
    send: async (message, tools): Promise<SendOutcome> => {
      const { target } = message;
      if (target.kind !== 'webpush') return unfit('wrong_target', 'That is no subscription');
      const plain = plainOf(message, tools.key);
      if (plain.length > PAYLOAD_BYTES_MAX) return unfit('too_long', 'The push is too long');
      const body = encryptPayload(plain, target.keys);
      // Not gone: the same subscription may be stored once more, with its keys as they are.
      if (body === undefined) return unfit('bad_subscription', 'The keys are none');
      const verdict = await guard.check(target.endpoint);
      if (!verdict.ok) return refused(verdict);
      const reply = await http.post({
        url: verdict.url,
        addresses: verdict.addresses,
        headers: {
          'content-type': 'application/octet-stream',
          'content-encoding': 'aes128gcm',
          authorization: vouch(verdict.url.origin, tools.now()),
          ttl: String(LIMITS.pushTtlMs / 1_000),
          urgency: 'normal',
          topic: topicOf(tools.key),
        },
        body,
        signal: tools.signal,
      });
      return reply.kind === 'failed' ? faultOf(reply) : outcomeOf(reply, tools.now());
    },
    close: async () => {
      http.close();
      return Promise.resolve();
    },
  } satisfies Provider<'push'>);
}

function plainOf({ title, body, data }: PushMessage, key: string): Buffer {
  return Buffer.from(JSON.stringify({ id: key, title, body, data }));
}

function topicOf(key: string): string {
  return createHash('sha256').update(key).digest('base64url').slice(0, TOPIC_CHARS);
}

function unfit(code: string, detail: string): SendOutcome & { readonly kind: 'permanent' } {
  return { kind: 'permanent', code, detail };
}

function outcomeOf(answer: HttpAnswer, now: number): SendOutcome {
  const { status } = answer;
  if (status >= 200 && status < 300) return { kind: 'sent', status };
  switch (status) {
    case 404:
    case 410:
      return permanent(answer, true);
    case 429:
      return throttled(answer, now);
    case 400:
    case 403: // it was made with another VAPID key
    case 413:
      return permanent(answer);
    default:
      return status >= 500 ? serverFault(answer, now) : transient(answer);
  }
}

function vapidKey({ publicKey, privateKey }: WebPushOptions): ReturnType<typeof createPrivateKey> {
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(Buffer.from(privateKey, 'base64url'));
  const point = pair.getPublicKey();
  if (point.toString('base64url') !== publicKey) {
    throw new Error('VAPID_PUBLIC_KEY does not belong to VAPID_PRIVATE_KEY');
  }
  const x = point.subarray(1, 33).toString('base64url');
  const y = point.subarray(33).toString('base64url');
  const jwk = { kty: 'EC', crv: 'P-256', d: privateKey, x, y };
  return createPrivateKey({ key: jwk, format: 'jwk' });
}
