import { appendFileSync } from 'node:fs';

/** Where `npm run test:faults` collects how long repairs took; unset, nobody does. */
const REPORT = process.env['FAULTS_REPORT'];

/** One line of JSON per fault: the milliseconds that each operation needed after the heal. */
export function recordRepairs(fault: string, tookMs: readonly number[]): void {
  if (REPORT === undefined) return;
  appendFileSync(REPORT, `${JSON.stringify({ fault, tookMs })}\n`);
}

/** True in `npm run test:faults`, which has the time for larger numbers. */
const IS_LONG = process.env['FAULTS'] === 'long';

export function sizeOf(sizes: { readonly usual: number; readonly long: number }): number {
  return IS_LONG ? sizes.long : sizes.usual;
}
