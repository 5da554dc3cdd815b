import { type ECDH, createECDH, createPublicKey, randomBytes, verify } from 'node:crypto';
import { decrypt } from 'http_ece';
import { z } from 'zod';
import { type Answer, type Call, jsonOf } from './exchange.ts';

/** What `PushManager.subscribe()` gives a page. */
export interface Subscription {
  readonly endpoint: string;
  readonly keys: { readonly p256dh: string; readonly auth: string };
}

export interface VapidKeys {
  readonly publicKey: string;
  readonly privateKey: string;
}

export function newVapidKeys(): VapidKeys {
  const pair = createECDH('prime256v1');
  const publicKey = pair.generateKeys().toString('base64url');
  // A leading zero byte is left out of what getPrivateKey gives.
  return { publicKey, privateKey: padded(pair.getPrivateKey()).toString('base64url') };
}

/** A push service and the browsers behind it: it lets in what RFC 8292 asks for, and decrypts. */
export interface PushService {
  subscribe(baseUrl: string): Subscription;
  /** The user took the permission back: 410 from now on. */
  unsubscribe(endpoint: string): void;
  push(call: Call): Answer;
}

interface Browser {
  readonly pair: ECDH;
  readonly auth: string;
}

const DAY_SECONDS = 86_400;

export function createPushService(): PushService {
  const browsers = new Map<string, Browser>();
  return {
    subscribe: (baseUrl) => {
      const pair = createECDH('prime256v1');
      const p256dh = pair.generateKeys().toString('base64url');
      const auth = randomBytes(16).toString('base64url');
      const path = `/push/${randomBytes(12).toString('hex')}`;
      browsers.set(path, { pair, auth });
      return { endpoint: `${baseUrl}${path}`, keys: { p256dh, auth } };
    },
    unsubscribe: (endpoint) => {
      browsers.delete(new URL(endpoint).pathname);
    },
    push: (call) => {
      const browser = browsers.get(call.path);
      if (browser === undefined) return { status: 410 };
      if (!isVouchedFor(call)) return { status: 403, body: { reason: 'VapidInvalid' } };
      const { headers, body } = call;
      if (headers['ttl'] === undefined) return { status: 400, body: { reason: 'TTL is missing' } };
      if (headers['content-encoding'] !== 'aes128gcm') return { status: 415 };
      if (body.length > 4_096) return { status: 413 };
      const plain = decrypt(body, {
        version: 'aes128gcm',
        privateKey: browser.pair,
        authSecret: browser.auth,
      });
      const location = `http://${headers['host'] ?? ''}/m/${randomBytes(8).toString('hex')}`;
      return { status: 201, headers: { location }, shown: jsonOf(plain) ?? plain.toString('utf8') };
    },
  };
}

const claimsSchema = z.object({ aud: z.string(), exp: z.number(), sub: z.string() });

/** `Authorization: vapid t=<jwt>, k=<public key>` */
function isVouchedFor({ headers }: Call): boolean {
  const match = /^vapid t=([\w-]+)\.([\w-]+)\.([\w-]+), ?k=([\w-]+)$/.exec(
    headers['authorization'] ?? '',
  );
  if (match === null) return false;
  const [, head = '', claims = '', signature = '', key = ''] = match;
  const point = Buffer.from(key, 'base64url');
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
  };
  const isSigned = verify(
    'sha256',
    Buffer.from(`${head}.${claims}`),
    { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  );
  const parsed = claimsSchema.safeParse(jsonOf(Buffer.from(claims, 'base64url')));
  if (!isSigned || !parsed.success) return false;
  const leftSeconds = parsed.data.exp - Date.now() / 1_000;
  const isOurs = new URL(parsed.data.aud).host === headers['host'];
  return isOurs && leftSeconds > 0 && leftSeconds <= DAY_SECONDS;
}

function padded(key: Buffer): Buffer {
  return Buffer.concat([Buffer.alloc(32 - key.length), key]);
}
