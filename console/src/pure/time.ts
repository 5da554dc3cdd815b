const UNITS = [
  { name: 'd', ms: 86_400_000 },
  { name: 'h', ms: 3_600_000 },
  { name: 'min', ms: 60_000 },
  { name: 's', ms: 1_000 },
] as const;

/** `1 h 5 min`, `12 s`, `3 ms`: the largest unit, and the one below it. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${String(Math.max(0, Math.round(ms)))} ms`;
  const index = UNITS.findIndex((unit) => ms >= unit.ms);
  const [unit, below] = [UNITS[index], UNITS[index + 1]];
  if (unit === undefined) return `${String(Math.round(ms))} ms`;
  const whole = Math.floor(ms / unit.ms);
  const rest = below === undefined ? 0 : Math.floor((ms - whole * unit.ms) / below.ms);
  const tail = below === undefined || rest === 0 ? '' : ` ${String(rest)} ${below.name}`;
  return `${String(whole)} ${unit.name}${tail}`;
}

/** `5 min ago`, `in 12 s`. */
export function agoText(atMs: number, nowMs: number): string {
  const ms = nowMs - atMs;
  if (Math.abs(ms) < 1_000) return 'now';
  return ms > 0 ? `${durationText(ms)} ago` : `in ${durationText(-ms)}`;
}
