import { BREAKER } from '../../core/notifications/admission/breaker.ts';
import {
  EVENT_RULES,
  RULED_EVENTS,
  type EventRule,
} from '../../core/notifications/routing/event-rules.ts';
import { POLICIES, attemptsMax } from '../../core/notifications/policies.ts';
import { CHANNELS } from '../../core/notifications/ports.ts';
import { code, heading, table } from './markdown.ts';

export function notificationTablesPage(): string {
  const intro =
    'What `core/notifications/policies.ts`, `event-rules.ts` and `breaker.ts` say. How it works:\n' +
    '[notifications](notifications.md).';
  const policies = CHANNELS.map((channel) => {
    const policy = POLICIES[channel];
    return [
      code(channel),
      String(attemptsMax(policy)),
      policy.pausesMs.map(durationOf).join(', '),
      `±${policy.jitter * 100} %`,
      durationOf(policy.timeoutMs),
      durationOf(policy.lifeMs),
      policy.isAtMostOnce ? 'left at that' : 'sent again',
      policy.isQuiet ? 'wait' : 'ignored',
      policy.ratePerSecond === 0 ? '' : String(policy.ratePerSecond),
      String(policy.inFlightMax),
    ];
  });
  const rules = RULED_EVENTS.map((event) => {
    const rule: EventRule = EVENT_RULES[event];
    const channels = rule.channels.map(code).join(', ');
    return [code(event), code(rule.category), channels, rule.isDigest === true ? 'yes' : ''];
  });
  const breaker = Object.entries(BREAKER).map(([name, value]) => [code(name), String(value)]);
  return [
    `${heading('Notification tables', intro)}\n## Channels\n`,
    table(POLICY_COLUMNS, policies),
    '\n## Events that users are told about\n',
    table(['Event', 'Category', 'Channels', 'In a digest'], rules),
    '\n## Circuit breaker\n',
    table(['Constant', 'Value'], breaker),
  ].join('\n');
}

const POLICY_COLUMNS = [
  'Channel',
  'Attempts',
  'Pauses',
  'Jitter',
  'Deadline of an attempt',
  'Too late after',
  'Outcome unknown',
  'Quiet hours',
  'Per second and provider',
  'At once per process and host',
];

function durationOf(ms: number): string {
  if (ms >= 3_600_000) return `${Math.round(ms / 36_000) / 100} h`;
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1_000} s`;
}
