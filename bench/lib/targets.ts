import type { Sample } from './measure.ts';
import type { Figure } from './options.ts';

/**
 * `rate`, `others` (what is settled besides a hot line) and `window` (a rate, as a part of what windows of
 * calls allow, or of the other side where that is less) are the better the larger they are; CPU and
 * looks at keys and documents per operation, and memory, the smaller.
 */
export type Measure = 'rate' | 'others' | 'window' | 'cpu' | 'looks' | 'memory';

/** Above this share of the machine that others use, a rate says nothing. */
const OTHERS_SHARE_MAX = 0.3;

export interface Target {
  readonly figure: Figure;
  readonly what: string;
  readonly of: string;
  readonly against: string;
  /** Undefined: only reported. */
  readonly atLeast: number | undefined;
  /** What `--floors` demands instead. */
  readonly floor?: number;
  /** `rate` when absent. */
  readonly measure?: Measure;
}

export function measured(sample: Sample, measure: Measure = 'rate'): number {
  switch (measure) {
    case 'rate':
    case 'window':
      return sample.perSecond;
    case 'others':
      return sample.othersPerSecond ?? Number.NaN;
    case 'cpu':
      return ((sample.cpu.node + sample.cpu.mongod + sample.cpu.redis) / sample.operations) * 1e6;
    case 'looks':
      return sample.looks ?? Number.NaN;
    case 'memory':
      return sample.peakMb ?? Number.NaN;
  }
}

/** Above 1 is better, whatever is measured. */
export function ratioOf(of: number, against: number, measure: Measure = 'rate'): number {
  return isByTime(measure) ? of / against : against / of;
}

function isByTime(measure: Measure): boolean {
  return measure === 'rate' || measure === 'others' || measure === 'window';
}

/** What the other side's figure is taken for: never more than the windows of this one allow. */
export function againstOf(
  of: readonly Sample[],
  against: number,
  measure: Measure = 'rate',
): number {
  if (measure !== 'window') return against;
  return Math.min(against, ...of.flatMap(({ windowPerSecond }) => windowPerSecond ?? []));
}

/** CPU and looks are the same on a busy machine. */
export function isTooBusy(samples: readonly Sample[], measure: Measure = 'rate'): boolean {
  const shares = samples.map(({ cpu }) => cpu.othersShare);
  return isByTime(measure) && shares.some((share) => share > OTHERS_SHARE_MAX);
}
