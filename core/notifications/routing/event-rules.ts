import type { EventName } from '../../events/catalog.ts';
import type { Channel } from '../ports.ts';

export interface EventRule {
  /** What users opt out of. */
  readonly category: string;
  /** Sent unless the user says otherwise. */
  readonly channels: readonly Channel[];
  /** Gathered into one message per user and window. */
  readonly isDigest?: true;
}

/**
 * What users are told about, one row per event. Webhook endpoints choose for themselves. A tenant
 * may change `channels`; where there are none, the event is not even looked at.
 */
export const EVENT_RULES = {
  'transfer.settled': { category: 'payments', channels: ['email', 'push'] },
  'transfer.reversed': { category: 'payments', channels: ['email', 'push'] },
  'deposit.settled': { category: 'payments', channels: ['email', 'push'] },
  'withdrawal.settled': { category: 'payments', channels: ['email', 'push'] },
  'hold.placed': { category: 'holds', channels: [] },
  'hold.captured': { category: 'holds', channels: ['push'] },
  'hold.released': { category: 'holds', channels: [] },
  'hold.expired': { category: 'digest', channels: ['email'], isDigest: true },
  'bonus.awarded': { category: 'digest', channels: ['email'], isDigest: true },
  'user.created': { category: 'account', channels: [] },
  'user.blocked': { category: 'security', channels: ['email', 'sms'] },
  'user.unblocked': { category: 'security', channels: ['email'] },
  'wallet.frozen': { category: 'security', channels: ['email', 'sms'] },
  'wallet.activated': { category: 'security', channels: ['email'] },
  'wallet.closed': { category: 'account', channels: ['email'] },
} as const satisfies Partial<Record<EventName, EventRule>>;

export type RuledEvent = keyof typeof EVENT_RULES;

export const RULED_EVENTS = Object.keys(EVENT_RULES) as readonly RuledEvent[];

export function isRuled(name: string): name is RuledEvent {
  return Object.hasOwn(EVENT_RULES, name);
}

/** Emitted by `notification.send`; its operation says what goes where. */
export const REQUESTED_EVENT = 'notification.requested' satisfies EventName;
/** Not an event: the name under which a digest has its template. */
export const DIGEST_TEMPLATE = 'digest';
/** Messages of this category are not held back by quiet hours. */
export const URGENT_CATEGORY = 'security';

/** `*`, `transfer.*` or the name of one event. Pure. */
export function matchesFilter(filter: string, event: string): boolean {
  if (filter === '*') return true;
  if (filter.endsWith('.*')) return event.startsWith(filter.slice(0, -1));
  return filter === event;
}

export const FILTER_PATTERN = /^(\*|[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)*(\.\*)?)$/;
