/** The middle one of some moments, which a few that are out of order do not move far. */
export function middleOf(times: readonly Date[]): Date | undefined {
  const sorted = [...times].sort((a, b) => a.getTime() - b.getTime());
  return sorted[Math.ceil(sorted.length * 0.5) - 1];
}
