import type { QuietHours, UserDoc } from '../ledger/documents.ts';
import type { Channel } from './ports.ts';

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

/** Milliseconds until the quiet hours end, 0 outside of them. Pure. */
export function quietForMs(quiet: QuietHours | undefined, now: Date): number {
  if (quiet === undefined) return 0;
  const minute = minuteOfDay(now, quiet.zone);
  const from = minutesOf(quiet.from);
  const length = (minutesOf(quiet.to) - from + MINUTES_OF_DAY) % MINUTES_OF_DAY;
  const since = (minute - from + MINUTES_OF_DAY) % MINUTES_OF_DAY;
  if (since >= length) return 0;
  return (length - since) * 60_000 - (now.getTime() % 60_000);
}

function minutesOf(text: string): number {
  const [hours = '0', minutes = '0'] = text.split(':');
  return Number.parseInt(hours, 10) * 60 + Number.parseInt(minutes, 10);
}

function minuteOfDay(now: Date, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).format(now);
  return minutesOf(parts);
}
