import type { z } from 'zod';
import { statusOfCode } from '../../api/http/problem.ts';
import { envSchema } from '../../config/env.ts';
import { ERRORS, type ErrorCode } from '../../core/kernel/errors.ts';
import { QUEUES } from '../../queues/catalog.ts';
import { LASTING_KEYS } from '../../queues/redis-keys.ts';
import { code, heading, table } from './markdown.ts';

export function errorsPage(): string {
  const codes = Object.keys(ERRORS) as readonly ErrorCode[];
  const sections = codes.map((name) => {
    const { kind, retry, title } = ERRORS[name];
    return `### ${name}\n\n${title}. Kind ${code(kind)}, HTTP ${statusOfCode(name)}, ${RETRY[retry]}.\n`;
  });
  const intro =
    'Every error is a problem document (RFC 9457) with a `code` from this table. Codes are never\n' +
    'renamed or reused. Codes of kind `rule` are business outcomes: the operation ends as\n' +
    '`rejected` and nothing happened; they stand in its `error`, and an HTTP status only comes\n' +
    'with them where a request asks for the rule directly.';
  return `${heading('Errors', intro)}\n${sections.join('\n')}`;
}

const RETRY = {
  never: 'the same request can only fail again',
  backoff: 'the same request may succeed later',
  after: 'the same request may succeed after `Retry-After`',
} as const;

export function queuesPage(): string {
  const intro =
    'BullMQ queues, one row of `queues/catalog.ts` each. Jobs carry ids and trace context, never\n' +
    'amounts or personal data. The job id of an operation is `<operationId>.<seq>`; operations that were ' +
    'accepted together in one lane share the job of the first.';
  const rows = [...QUEUES].map(([name, spec]) => [
    code(name),
    spec.summary,
    spec.isMoney ? 'yes' : 'no',
    String(spec.concurrency),
    `${spec.attempts}, exponential from ${spec.backoff.delay} ms`,
    `${spec.removeOnComplete.count} / ${spec.removeOnComplete.age} s`,
    `${spec.removeOnFail.count} / ${spec.removeOnFail.age} s`,
    `${spec.lockDurationMs} ms`,
  ]);
  const columns = [
    'Queue',
    'What stands in it',
    'Money',
    'Concurrency',
    'Attempts',
    'Completed kept',
    'Failed kept',
    'Lock',
  ];
  const keys = LASTING_KEYS.map(({ key, bound }) => [code(key), bound]);
  const redis =
    '## Keys that do not expire\n\nBehind `QUEUE_PREFIX`; every other key that is written to Redis expires.';
  return `${heading('Queues', intro)}\n${table(columns, rows)}\n${redis}\n\n${table(['Key', 'Bound'], keys)}`;
}

export function configPage(): string {
  const intro =
    'Environment variables, read once at start; every problem is reported at once, and so is a\n' +
    'misspelt name that begins like one of ours. Empty counts as unset. Hard ceilings stand in\n' +
    '`config/limits.ts`.';
  const rows = Object.entries(envSchema.shape).map(([name, field]) => [
    code(name),
    code(defaultOf(field)),
    field.description ?? '',
  ]);
  return `${heading('Configuration', intro)}\n${table(['Name', 'Default', 'What'], rows)}`;
}

function defaultOf(field: z.ZodType): string {
  const parsed = field.safeParse(undefined);
  if (!parsed.success || parsed.data === undefined) return '';
  const { data } = parsed;
  if (Array.isArray(data)) return data.join(',');
  return typeof data === 'string' || typeof data === 'number' ? String(data) : '';
}
