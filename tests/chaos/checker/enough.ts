import { ofKind } from './acceptance-rules.ts';
import type { Evidence } from './evidence.ts';

/** What a run has to have done before "nothing was found" means anything. */
export interface Minimum {
  readonly operations: number;
  readonly answers: number;
  readonly types: number;
  /** Faults that really befell somebody. */
  readonly faults: number;
  readonly samples: number;
  readonly webhooks: number;
  /** Keys that were sent again and answered from what was stored. */
  readonly repeats: number;
  /** Looks with another tenant's key. */
  readonly strangers: number;
}

export const NOTHING_YET: Minimum = {
  operations: 0,
  answers: 0,
  types: 0,
  faults: 0,
  samples: 0,
  webhooks: 0,
  repeats: 0,
  strangers: 0,
};

export function countsOf(evidence: Evidence): Minimum {
  const answers = ofKind(evidence, 'answered');
  return {
    operations: evidence.operations.length,
    answers: answers.length,
    types: new Set(evidence.operations.map(({ type }) => type)).size,
    faults: evidence.faults.filter(({ strikes }) => strikes > 0).length,
    samples: evidence.samples.length,
    webhooks: evidence.receipts.filter(({ verdict }) => verdict === 'verified').length,
    repeats: answers.filter(({ isReplay }) => isReplay).length,
    strangers: evidence.isolation.filter(({ status }) => status === 404).length,
  };
}

/** What is missing, in words, of what was done since; nothing: it was enough. Pure. */
export function findShortfalls(
  evidence: Evidence,
  minimum: Minimum,
  before: Minimum = NOTHING_YET,
): readonly string[] {
  const counts = countsOf(evidence);
  const names = Object.keys(minimum) as (keyof Minimum)[];
  return names.flatMap((name) => {
    // These are of this evidence alone; the rest adds up from run to run on one cluster.
    const isOwn = name === 'types' || name === 'faults' || name === 'strangers';
    const done = counts[name] - (isOwn ? 0 : before[name]);
    return done < minimum[name] ? [`${name}: ${String(done)} of ${String(minimum[name])}`] : [];
  });
}
