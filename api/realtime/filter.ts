import { z } from 'zod';
import { LIMITS } from '../../config/limits.ts';
import type { StreamEvent } from '../../core/events/stream-tail.ts';

/** What a client wants of its tenant's events. Clients whose filters have one key form a group. */
export interface EventFilter {
  readonly key: string;
  matches(event: StreamEvent): boolean;
}

const PATTERN = /^(?:\*|[a-z][a-z_-]*(?:\.[a-z][a-z_-]*){0,3}(?:\.\*)?)$/;

const pattern = z.string().max(100).regex(PATTERN, 'must look like transfer.settled or transfer.*');
const patterns = z.array(pattern).min(1).max(LIMITS.streamPatternsMax);

/** `transfer.*,operation.succeeded`, or a list of such. */
export const eventPatterns = z
  .union([
    z.string().transform((text) => text.split(',').map((one) => one.trim())),
    z.array(z.string()),
  ])
  .pipe(patterns);

interface Wanted {
  readonly userId?: string;
  /** None: every event. */
  readonly events?: readonly string[];
}

export function createFilter({ userId, events = ['*'] }: Wanted): EventFilter {
  const wanted = [...new Set(events)].sort((a, b) => (a < b ? -1 : 1));
  const isAll = wanted.includes('*');
  const names = new Set(wanted);
  const prefixes = wanted.filter((one) => one.endsWith('.*')).map((one) => one.slice(0, -1));
  const matchesName = (name: string): boolean =>
    isAll || names.has(name) || prefixes.some((prefix) => name.startsWith(prefix));
  return Object.freeze({
    key: `${isAll ? '*' : wanted.join(',')} ${userId ?? ''}`,
    matches: ({ name, users }: StreamEvent) =>
      matchesName(name) && (userId === undefined || users.includes(userId)),
  });
}
