/** A place in a Redis stream: `<milliseconds>-<sequence>`. Ids of our streams are always whole. */
const POSITION = /^(\d{1,16})-(\d{1,16})$/;

/** Before everything. */
export const STREAM_START = '0-0';

/** After everything. */
export const STREAM_END = '9999999999999999-0';

export function isStreamPosition(text: string): boolean {
  return POSITION.test(text);
}

/** Negative when `a` comes before `b`. Both must be positions. */
export function comparePositions(a: string, b: string): number {
  if (a === b) return 0;
  const dashA = a.indexOf('-');
  const dashB = b.indexOf('-');
  const byTime = Number(a.slice(0, dashA)) - Number(b.slice(0, dashB));
  return byTime !== 0 ? byTime : Number(a.slice(dashA + 1)) - Number(b.slice(dashB + 1));
}
