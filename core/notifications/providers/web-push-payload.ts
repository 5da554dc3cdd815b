import { createCipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto';

/** The keys of a subscription (RFC 8291), as base64url. */
export interface SubscriptionKeys {
  readonly p256dh: string;
  readonly auth: string;
}

/** What makes two encryptions of one text differ; given only to check against known values. */
export interface Ephemeral {
  readonly salt: Buffer;
  readonly privateKey: Buffer;
}

const RECORD_BYTES = 4_096;
const TAG_BYTES = 16;
const POINT_BYTES = 65;
const AUTH_BYTES = 16;
const HEADER_BYTES = 16 + 4 + 1 + POINT_BYTES;

/** One record, its padding delimiter and its tag: services need not take more. */
export const PAYLOAD_BYTES_MAX = RECORD_BYTES - HEADER_BYTES - TAG_BYTES - 1;

/**
 * Encrypts for one subscription: `aes128gcm` (RFC 8188) under keys agreed on as in RFC 8291.
 * Undefined when the subscription's keys are none.
 *
 * @throws Error when the text is longer than PAYLOAD_BYTES_MAX.
 */
export function encryptPayload(
  plain: Buffer,
  keys: SubscriptionKeys,
  ephemeral?: Ephemeral,
): Buffer | undefined {
  if (plain.length > PAYLOAD_BYTES_MAX) throw new Error('the payload is too long');
  const theirs = Buffer.from(keys.p256dh, 'base64url');
  const auth = Buffer.from(keys.auth, 'base64url');
  if (theirs.length !== POINT_BYTES || auth.length !== AUTH_BYTES) return undefined;
  const pair = createECDH('prime256v1');
  if (ephemeral === undefined) pair.generateKeys();
  else pair.setPrivateKey(ephemeral.privateKey);
  const ours = pair.getPublicKey();
  const shared = sharedSecret(pair, theirs);
  if (shared === undefined) return undefined;

  const info = Buffer.concat([Buffer.from('WebPush: info\0'), theirs, ours]);
  const salt = ephemeral?.salt ?? randomBytes(16);
  const material = derive(shared, auth, { info, bytes: 32 });
  const key = derive(material, salt, { info: label('aes128gcm'), bytes: 16 });
  const nonce = derive(material, salt, { info: label('nonce'), bytes: 12 });

  const head = Buffer.alloc(5);
  head.writeUInt32BE(RECORD_BYTES, 0);
  head.writeUInt8(POINT_BYTES, 4);
  const cipher = createCipheriv('aes-128-gcm', key, nonce);
  const lastRecord = Buffer.from([2]);
  const encrypted = [cipher.update(plain), cipher.update(lastRecord), cipher.final()];
  return Buffer.concat([salt, head, ours, ...encrypted, cipher.getAuthTag()]);
}

function sharedSecret(pair: ReturnType<typeof createECDH>, theirs: Buffer): Buffer | undefined {
  try {
    return pair.computeSecret(theirs);
  } catch {
    return undefined; // not a point of the curve
  }
}

interface Derived {
  readonly info: Buffer;
  readonly bytes: number;
}

function derive(key: Buffer, salt: Buffer, { info, bytes }: Derived): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, info, bytes));
}

function label(name: string): Buffer {
  return Buffer.from(`Content-Encoding: ${name}\0`);
}
