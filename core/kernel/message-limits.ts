import type { Json } from './canonical.ts';

/** Twilio and its kind refuse a longer text for good (ten segments). */
export const SMS_CHARS_MAX = 1_600;
/** FCM takes 4,096 bytes of texts and data; Web Push encrypts 3,993 bytes of JSON. */
const PUSH_BYTES_MAX = 3_900;
/** Of these the data, so that there is room for something to read. */
export const PUSH_DATA_BYTES_MAX = 3_000;
/** One event in a stream, of which a tenant has ten thousand. */
export const REALTIME_BYTES_MAX = 16_384;

/** Names that FCM keeps for itself: a message with one of them is refused for good. */
const RESERVED = /^(from|message_type)$|^(google|gcm)/;

export function isReservedPushKey(name: string): boolean {
  return RESERVED.test(name);
}

export type PushData = Readonly<Record<string, string>>;

/**
 * Push services carry strings only. What is reserved has been refused at the door; where it comes
 * nevertheless (accepted before there was a rule), it gets another name.
 */
export function pushDataOf(data: Readonly<Record<string, Json>>): PushData {
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [
      isReservedPushKey(name) ? `data_${name}` : name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
}

export function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

interface PushTexts {
  readonly title: string;
  readonly body: string;
}

/** Room for the id of the delivery and what stands around it. */
const ENVELOPE = { id: 'x'.repeat(60) };

export function pushFits(texts: PushTexts, data: PushData): boolean {
  return bytesOf({ ...ENVELOPE, ...texts, data }) <= PUSH_BYTES_MAX;
}

/** The texts as far as there is room for them: a device shows a few lines. Undefined: there is none. */
export function fittedPush({ title, body }: PushTexts, data: PushData): PushTexts | undefined {
  if (bytesOf(data) > PUSH_DATA_BYTES_MAX) return undefined;
  if (pushFits({ title, body }, data)) return { title, body };
  const line = longest(title, (text) => pushFits({ title: text, body: '' }, data));
  return {
    title: line,
    body: longest(body, (text) => pushFits({ title: line, body: text }, data)),
  };
}

/** The longest beginning that fits, with a mark where something is left out. */
function longest(text: string, fits: (text: string) => boolean): string {
  if (fits(text)) return text;
  const chars = Array.from(text.slice(0, PUSH_BYTES_MAX)); // no character is cut in two
  let [low, high] = [0, chars.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(`${chars.slice(0, middle).join('')}…`)) low = middle;
    else high = middle - 1;
  }
  return low === 0 ? '' : `${chars.slice(0, low).join('')}…`;
}
