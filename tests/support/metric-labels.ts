import { ENDPOINTS } from '../../api/routes/index.ts';
import { EVENTS } from '../../core/events/catalog.ts';
import { CHECKS } from '../../core/health/finding.ts';
import { ERRORS } from '../../core/kernel/errors.ts';
import { WAITING_KINDS } from '../../core/kernel/waiting-on.ts';
import { DELIVERY_STATUSES } from '../../core/notifications/delivery/delivery.ts';
import { CHANNELS } from '../../core/notifications/ports.ts';
import { OPERATIONS } from '../../core/operation-types/registry.ts';
import type { Registry } from '../../core/operations/define.ts';
import { STATUSES } from '../../core/operations/status.ts';
import { METRIC_LABELS } from '../../core/telemetry/metric-labels.ts';
import { QUEUES } from '../../queues/catalog.ts';

const registry: Registry = OPERATIONS;
const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => String(from + index));

/** The closed tables that METRIC_LABELS names. */
const TABLES: Readonly<Record<string, readonly string[]>> = {
  'operation type': Object.keys(OPERATIONS),
  'error code': [...Object.keys(ERRORS), 'other'],
  queue: [...QUEUES.keys(), 'notify'],
  'HTTP method': ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'],
  'route pattern': [...ENDPOINTS.map(({ path }) => path), 'none'],
  'HTTP status, operation status or delivery status': [
    ...[...STATUSES, ...DELIVERY_STATUSES],
    ...numbers(100, 600),
  ],
  event: Object.keys(EVENTS),
  'step of an operation type': Object.values(registry).flatMap(({ saga }) =>
    (saga?.steps ?? []).map(({ name }) => name),
  ),
  'lane number': numbers(0, 64),
  channel: CHANNELS,
  'configured provider': [
    ...['sandbox', 'http', 'smtp', 'email-http', 'twilio', 'fcm', 'webpush'],
    ...['webhook', 'stream'],
  ],
  'health check': Object.keys(CHECKS),
  'kind of waiting': Object.keys(WAITING_KINDS),
  'kind of look-up': ['wallets', 'users', 'transfers', 'holds', 'wallets-of-user', 'operations'],
  'what came of an attempt': [
    ...['answered', 'throttled', 'failed'],
    ...['sent', 'permanent', 'transient', 'fault'],
    ...['hit', 'miss', 'invalid', 'error', 'skipped', 'written', 'older'],
    ...['done', 'refused', 'absent', 'unsure', 'waiting', 'undone'],
  ],
};

/** Labels of a scrape whose value is in no closed set, as `label=value`. */
export function openLabels(scrape: string): readonly string[] {
  const series = scrape.split('\n').filter((line) => line.startsWith('sluice_'));
  const pairs = series.flatMap((line) => [...line.matchAll(/(\w+)="([^"]*)"/g)]);
  const open = pairs.flatMap(([, label = '', value = '']) => {
    if (label === 'le') return [];
    const sets: Readonly<Record<string, string | readonly string[]>> = METRIC_LABELS;
    const named = sets[label];
    const closed = typeof named === 'string' ? TABLES[named] : named;
    return closed?.includes(value) === true ? [] : [`${label}=${value}`];
  });
  return [...new Set(open)];
}
