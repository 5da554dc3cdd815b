/** Full-jitter exponential backoff: uniform in (0, min(cap, base * 2^attempt)]. */
export function fullJitterMs(
  attempt: number,
  options: { readonly baseMs: number; readonly capMs: number; readonly random: () => number },
): number {
  const ceiling = Math.min(options.capMs, options.baseMs * 2 ** Math.min(attempt, 30));
  return Math.max(1, Math.round(options.random() * ceiling));
}
