import { type SettingName, isSettingName, rowOf } from '../../config/settings.ts';
import type { SettingValue } from '../../config/setting-row.ts';
import type { ConfigValues } from '../../core/service-config/config-document.ts';
import { valueProblems } from '../../core/service-config/check-values.ts';
import { CliError, EXIT } from '../exit.ts';

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/**
 * A value as people type it: `64`, `0.2`, `true`, `[1000,5000]` or `1s,5s`, and of milliseconds also
 * `30s`, `5m`, `2h`, `1d`. What the setting takes is seen by whoever changes it. Pure.
 *
 * @throws CliError for what is no value at all.
 */
function parseValue(name: SettingName, text: string): SettingValue {
  const { unit, default: usual } = rowOf(name);
  const isMs = unit === 'ms';
  if (Array.isArray(usual)) return listOf(name, text, isMs);
  if (text === 'true' || text === 'false') return text === 'true';
  return numberOf(name, text, isMs);
}

function listOf(name: SettingName, text: string, isMs: boolean): readonly number[] {
  const inner = text.trim().replace(/^\[/, '').replace(/\]$/, '').trim();
  if (inner === '') return [];
  return inner.split(',').map((part) => numberOf(name, part.trim(), isMs));
}

function numberOf(name: SettingName, text: string, isMs: boolean): number {
  const [, count, unit] = DURATION.exec(text) ?? [];
  if (isMs && count !== undefined) return Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  throw new CliError(`"${text}" is no value of ${name}: it is ${rowOf(name).allowed}.`, EXIT.usage);
}

/**
 * `name value`, or `name=value` as often as one likes.
 *
 * @throws CliError for a name that is none.
 */
export function parseAssignments(args: readonly string[]): ConfigValues {
  const [first = '', second] = args;
  const pairs =
    args.length === 2 && second !== undefined && !first.includes('=')
      ? [[first, second] as const]
      : args.map(pairOf);
  return Object.fromEntries(pairs.map(([name, text]) => [name, parseValue(known(name), text)]));
}

function pairOf(text: string): readonly [name: string, value: string] {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new CliError(`"${text}" is not <name>=<value>.`, EXIT.usage);
}

/** @throws CliError with names that are near it. */
export function known(name: string): SettingName {
  if (isSettingName(name)) return name;
  const [problem] = valueProblems({ [name]: 0 }, {});
  throw new CliError(`${name} ${problem?.detail ?? 'is not the name of a setting'}.`, EXIT.usage);
}

/** `60000` as `1 m`: for people. */
export function valueText(name: string, value: SettingValue | undefined): string {
  if (value === undefined) return '-';
  if (isSettingName(name) && rowOf(name).unit === 'ms' && typeof value !== 'boolean') {
    return typeof value === 'number' ? msText(value) : `[${value.map(msText).join(', ')}]`;
  }
  return JSON.stringify(value);
}

function msText(ms: number): string {
  const [unit] = (['d', 'h', 'm', 's'] as const).filter(
    (one) => ms >= UNIT_MS[one] && ms % UNIT_MS[one] === 0,
  );
  return unit === undefined ? `${String(ms)}ms` : `${String(ms / UNIT_MS[unit])}${unit}`;
}
