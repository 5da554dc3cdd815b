import { systemClock } from './clock.ts';
import type { EventData } from './generated/events.ts';
import { isObject, parsed } from './json.ts';

/** The extras that webhooks bring beside the data of the event. */
type WebhookData<D> = D & { readonly amountText?: string; readonly [extra: string]: unknown };

/** A call of one of your webhook endpoints. Drop what has a `webhookId` that you have had before. */
export type WebhookEvent = {
  readonly [N in keyof EventData]: {
    /** The same each time that the call is repeated. */
    readonly webhookId: string;
    readonly id: string;
    readonly type: N;
    readonly timestamp: string;
    readonly operationId?: string;
    readonly data: WebhookData<EventData[N]>;
  };
}[keyof EventData];

export type WebhookErrorCode =
  /** A header is not there, or not of its form. */
  | 'header_missing'
  | 'header_invalid'
  /** Older, or newer, than the tolerance. */
  | 'too_old'
  | 'too_new'
  /** None of the signatures is one of your secrets'. */
  | 'signature_mismatch'
  /** Signed, and yet no event. */
  | 'body_invalid'
  /** What was handed over: a secret that is none, a body that was parsed. */
  | 'invalid_argument';

export class WebhookVerificationError extends Error {
  override readonly name = 'WebhookVerificationError';
  readonly code: WebhookErrorCode;

  constructor(code: WebhookErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export type WebhookHeaders =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

export interface VerifyWebhookOptions {
  /** As it came, byte for byte: what was parsed and written again has another signature. */
  readonly body: string | Uint8Array;
  readonly headers: WebhookHeaders;
  /** `whsec_…`; during a rotation the new one and the old one. */
  readonly secrets: string | readonly string[];
  /** How far the time of the call may be from yours, before or after; 300. */
  readonly toleranceSeconds?: number;
  readonly nowMs?: number;
}

/** More than these are not looked at: nobody makes you compute at will. */
const SIGNATURES_MAX = 32;
const SECRETS_MAX = 16;
const TOLERANCE_SECONDS = 300;

/**
 * Checks a call by Standard Webhooks and gives its event.
 *
 * @throws WebhookVerificationError when it is not to be trusted: answer 400, and do nothing.
 */
export async function verifyWebhook(options: VerifyWebhookOptions): Promise<WebhookEvent> {
  const {
    headers,
    secrets,
    toleranceSeconds = TOLERANCE_SECONDS,
    nowMs = systemClock.now(),
  } = options;
  const body = bytesOf(options.body);
  const webhookId = header(headers, 'webhook-id');
  const timestamp = header(headers, 'webhook-timestamp');
  const signatures = signaturesIn(header(headers, 'webhook-signature'));
  const keys = secretsOf(secrets);
  const signed = joined(new TextEncoder().encode(`${webhookId}.${timestamp}.`), body);
  // The signature first: who cannot sign learns nothing of our clock.
  if (!(await isSigned(signed, keys, signatures))) {
    throw new WebhookVerificationError('signature_mismatch', 'No signature is of these secrets');
  }
  checkTime(timestamp, nowMs, toleranceSeconds);
  return { ...eventIn(body), webhookId };
}

/** All of them, whichever fits: how long it takes says nothing. `verify` compares in constant time. */
async function isSigned(
  signed: Bytes,
  keys: readonly Bytes[],
  signatures: readonly Bytes[],
): Promise<boolean> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  let isFound = false;
  for (const raw of keys) {
    const key = await crypto.subtle.importKey('raw', raw, algorithm, false, ['verify']);
    for (const signature of signatures) {
      const fits = await crypto.subtle.verify(algorithm, key, signature, signed);
      isFound ||= fits;
    }
  }
  return isFound;
}

type Bytes = Uint8Array<ArrayBuffer>;

function bytesOf(body: string | Uint8Array): Bytes {
  if (typeof body === 'string') return new TextEncoder().encode(body);
  if (body instanceof Uint8Array) return new Uint8Array(body);
  throw invalid('body must be the raw text or bytes of the request, before any parser');
}

function invalid(message: string): WebhookVerificationError {
  return new WebhookVerificationError('invalid_argument', message);
}

function header(headers: WebhookHeaders, name: string): string {
  const value = typeof headers.get === 'function' ? headers.get(name) : named(headers, name);
  if (typeof value === 'string' && value !== '') return value;
  throw new WebhookVerificationError('header_missing', `There is no header ${name}`);
}

function named(headers: WebhookHeaders, name: string): unknown {
  const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name);
  return Array.isArray(found?.[1]) ? (found[1] as readonly unknown[]).join(' ') : found?.[1];
}

function signaturesIn(text: string): readonly Bytes[] {
  return text
    .split(' ')
    .slice(0, SIGNATURES_MAX)
    .filter((one) => one.startsWith('v1,'))
    .flatMap((one) => bytesIn(one.slice(3)) ?? []);
}

function secretsOf(secrets: string | readonly string[]): readonly Bytes[] {
  const all = typeof secrets === 'string' ? [secrets] : secrets;
  if (all.length === 0 || all.length > SECRETS_MAX) {
    throw invalid(`secrets must be 1 to ${SECRETS_MAX}`);
  }
  return all.map((secret) => {
    const bytes = bytesIn(secret.replace(/^whsec_/, ''));
    if (bytes === undefined || bytes.length === 0) throw invalid('A secret is whsec_ and base64');
    return bytes;
  });
}

function bytesIn(base64: string): Bytes | undefined {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) return undefined;
  try {
    return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function joined(first: Bytes, second: Bytes): Bytes {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

function checkTime(timestamp: string, nowMs: number, toleranceSeconds: number): void {
  if (!/^\d{1,11}$/.test(timestamp)) {
    throw new WebhookVerificationError('header_invalid', 'webhook-timestamp is no time in seconds');
  }
  const age = nowMs / 1_000 - Number(timestamp);
  if (!(age <= toleranceSeconds)) {
    throw new WebhookVerificationError('too_old', `Signed ${Math.round(age)} s ago`);
  }
  if (!(-age <= toleranceSeconds)) {
    throw new WebhookVerificationError(
      'too_new',
      `Signed ${Math.round(-age)} s ahead of our clock`,
    );
  }
}

function eventIn(body: Bytes): WebhookEvent {
  const event = parsed(new TextDecoder().decode(body));
  if (isObject(event) && typeof event['type'] === 'string' && isObject(event['data'])) {
    return event as WebhookEvent;
  }
  throw new WebhookVerificationError('body_invalid', 'The body is signed, but no event');
}
