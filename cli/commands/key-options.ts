import { InvalidArgumentError } from 'commander';
import { ACCESS_LIMITS } from '../../config/access-limits.ts';
import { type TypeScope, isTypeScope, typesNamed } from '../../core/access/scopes.ts';
import { OPERATION_TYPES } from '../../core/operation-types/registry.ts';

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** `90d`, `24h`, `30m`, `15s`, or a bare number of seconds. */
function secondsOf(text: string): number | undefined {
  const [, count, unit = 's'] = /^(\d{1,9})([smhd]?)$/.exec(text) ?? [];
  const factor = UNIT_SECONDS[unit === '' ? 's' : unit];
  return count === undefined || factor === undefined ? undefined : Number(count) * factor;
}

/** For how long an old secret is still good. */
export function graceSeconds(text: string): number {
  const seconds = secondsOf(text);
  const max = ACCESS_LIMITS.keyGraceSecondsMax;
  if (seconds !== undefined && seconds <= max) return seconds;
  throw new InvalidArgumentError(
    `It must be a time such as 24h, 30m or 0, up to ${max / 86_400}d.`,
  );
}

/** When a key ends: at a time, or so long from now. */
export type End = (nowMs: number) => Date;

const ZONED = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/;
const END_MAX_SECONDS = 3_650 * 86_400;

export function endOf(text: string): End {
  const seconds = secondsOf(text);
  if (seconds !== undefined && seconds > 0 && seconds <= END_MAX_SECONDS) {
    return (nowMs) => new Date(nowMs + seconds * 1_000);
  }
  const at = ZONED.test(text) ? new Date(text) : undefined;
  if (at !== undefined && !Number.isNaN(at.getTime())) return () => at;
  throw new InvalidArgumentError('It must be a time such as 90d or 2027-01-31T00:00:00Z.');
}

/** A type of operations, or a group of them as in `hold.*`: as a scope. */
export function typeScope(text: string, before: readonly TypeScope[] = []): readonly TypeScope[] {
  const scope = `operations:write:${text}`;
  if (isTypeScope(scope) && typesNamed(scope, OPERATION_TYPES).length > 0) {
    return [...before, scope];
  }
  throw new InvalidArgumentError(
    `There is no such type. There are ${OPERATION_TYPES.join(', ')}, and groups such as hold.*`,
  );
}
