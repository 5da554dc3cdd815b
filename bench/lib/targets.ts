import type { Sample } from './measure.ts';
import type { Figure } from './options.ts';

/**
 * `rate` and `others` (what is settled besides a hot line) are the better the larger they are; CPU and
 * looks at keys and documents per operation, and memory, the smaller.
 */
export type Measure = 'rate' | 'others' | 'cpu' | 'looks' | 'memory';

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
  return measure === 'rate' || measure === 'others';
}

/** CPU and looks are the same on a busy machine. */
export function isTooBusy(samples: readonly Sample[], measure: Measure = 'rate'): boolean {
  const shares = samples.map(({ cpu }) => cpu.othersShare);
  return isByTime(measure) && shares.some((share) => share > OTHERS_SHARE_MAX);
}
