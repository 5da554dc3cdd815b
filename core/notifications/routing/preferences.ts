import { LIMITS } from '../../../config/limits.ts';
import { createRecentMap } from '../../infra/recent-map.ts';
import type { QuietHours, UserDoc } from '../../ledger/documents.ts';
import type { Channel } from '../ports.ts';

interface Asked {
  readonly event: string;
  readonly category: string;
  readonly channel: Channel;
  /** What the rule says when the user says nothing. */
  readonly isDefault: boolean;
}

/**
 * Whether a user wants an event on a channel. `<event>.<channel>` and `<category>.<channel>` decide
 * either way; `<event>`, `<category>` and `<channel>` can only refuse. Pure.
 */
export function isWanted(preferences: UserDoc['notifications'], asked: Asked): boolean {
  if (preferences === undefined) return asked.isDefault;
  const { event, category, channel } = asked;
  const exact = preferences[`${event}.${channel}`] ?? preferences[`${category}.${channel}`];
  if (exact !== undefined) return exact;
  const isRefused = [event, category, channel].some((key) => preferences[key] === false);
  return asked.isDefault && !isRefused;
}

const MINUTES_OF_DAY = 24 * 60;

const MINUTE_MS = 60_000;
/** Further than any zone has ever set its clocks, and not a day. */
const SHIFT_MINUTES_MAX = 3 * 60;

/**
 * Milliseconds until the quiet hours end, 0 outside of them. They end when the clock on the wall
 * says so: where it is put forward or back meanwhile, sooner or later than its minutes add up to.
 * Pure.
 */
export function quietForMs(quiet: QuietHours | undefined, now: Date): number {
  if (quiet === undefined) return 0;
  const leftMinutes = quietMinutes(quiet, now.getTime());
  if (leftMinutes === 0) return 0;
  const startMs = now.getTime() - (now.getTime() % MINUTE_MS);
  const plainMs = startMs + leftMinutes * MINUTE_MS;
  if (minuteOfDay(plainMs, quiet.zone) === minutesOf(quiet.to)) return plainMs - now.getTime();
  // The clock is changed in between: the first minute that is not quiet, wherever it went.
  const from = Math.max(1, leftMinutes - SHIFT_MINUTES_MAX);
  let minutes = from;
  while (minutes < leftMinutes + SHIFT_MINUTES_MAX) {
    const left = quietMinutes(quiet, startMs + minutes * MINUTE_MS);
    if (left === 0) break;
    minutes += 1;
  }
  return startMs + minutes * MINUTE_MS - now.getTime();
}

/** Minutes that are left of the quiet hours by the clock on the wall as it runs now. */
function quietMinutes(quiet: QuietHours, ms: number): number {
  const from = minutesOf(quiet.from);
  const length = (minutesOf(quiet.to) - from + MINUTES_OF_DAY) % MINUTES_OF_DAY;
  const since = (minuteOfDay(ms, quiet.zone) - from + MINUTES_OF_DAY) % MINUTES_OF_DAY;
  return Math.max(0, length - since);
}

function minutesOf(text: string): number {
  const [hours = '0', minutes = '0'] = text.split(':');
  return Number.parseInt(hours, 10) * 60 + Number.parseInt(minutes, 10);
}

/** To make one takes a hundred times as long as to use it. */
const formats = createRecentMap<Intl.DateTimeFormat>(LIMITS.zonesCachedMax);

function minuteOfDay(ms: number, timeZone: string): number {
  const known = formats.get(timeZone);
  const format = known ?? new Intl.DateTimeFormat('en-GB', { ...HOUR_AND_MINUTE, timeZone });
  if (known === undefined) formats.set(timeZone, format);
  return minutesOf(format.format(ms));
}

const HOUR_AND_MINUTE = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
