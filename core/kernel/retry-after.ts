import { LIMITS } from '../../config/limits.ts';

/**
 * `Retry-After` in milliseconds (RFC 9110, 10.2.3: seconds, or a date in any of the three forms),
 * and never more than the ceiling. Undefined: it says nothing, so whoever asks waits as long as it
 * thinks right. That is so for what is negative, empty or no time at all, too; many a library takes
 * `-3` for a date long ago and asks again at once. Zero (a date that has passed) is for the caller
 * to hold against its own least wait.
 */
export function parseRetryAfter(
  text: string | null | undefined,
  { nowMs, maxMs = LIMITS.retryAfterMsMax }: { readonly nowMs: number; readonly maxMs?: number },
): number | undefined {
  const value = text?.trim() ?? '';
  // Fractions are not in the RFC; whoever writes one is still understood.
  const ms = SECONDS.test(value) ? Math.ceil(Number(value) * 1_000) : dateOf(value, nowMs) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), maxMs);
}

const SECONDS = /^\d{1,20}(\.\d{1,9})?$/;

const TIME = String.raw`(\d\d:\d\d:\d\d)`;
/** `Sun, 06 Nov 1994 08:49:37 GMT` */
const FIXED = new RegExp(String.raw`^[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) ${TIME} GMT$`);
/** `Sunday, 06-Nov-94 08:49:37 GMT` */
const RFC850 = new RegExp(String.raw`^[A-Z][a-z]+day, (\d\d)-([A-Z][a-z]{2})-(\d\d) ${TIME} GMT$`);
/** `Sun Nov  6 08:49:37 1994` */
const ASCTIME = new RegExp(String.raw`^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) ${TIME} (\d{4})$`);

/** `Date.parse` takes much else for a date, and the last form for a local one. */
function dateOf(text: string, nowMs: number): number {
  const fixed = FIXED.exec(text);
  if (fixed !== null) return utc(fixed.slice(1));
  const rfc850 = RFC850.exec(text);
  if (rfc850 !== null) return recent(rfc850.slice(1), nowMs);
  const asctime = ASCTIME.exec(text);
  if (asctime === null) return Number.NaN;
  const [month = '', day = '', time = '', year = ''] = asctime.slice(1);
  return utc([day.trim().padStart(2, '0'), month, year, time]);
}

/** Of day, month, year and time. */
function utc(parts: readonly string[]): number {
  const ms = Date.parse(`${parts.join(' ')} GMT`);
  // The 31st of a shorter month is none of the next.
  return new Date(ms).getUTCDate() === Number(parts[0]) ? ms : Number.NaN;
}

/** Two digits of a year that would be more than 50 years ahead are of the past. */
function recent([day = '', month = '', year = '', time = '']: string[], nowMs: number): number {
  const now = new Date(nowMs);
  const century = Math.floor(now.getUTCFullYear() / 100);
  const dateIn = (hundreds: number): number => utc([day, month, `${hundreds}${year}`, time]);
  const date = dateIn(century);
  const limit = new Date(nowMs).setUTCFullYear(now.getUTCFullYear() + 50);
  return date > limit ? dateIn(century - 1) : date;
}
