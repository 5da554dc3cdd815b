import type { Evidence } from './evidence.ts';
import { ofKind } from './acceptance-rules.ts';

/** What a run has to have done before "nothing was found" means anything. */
export interface Minimum {
  readonly operations: number;
  readonly answers: number;
  readonly types: number;
  readonly faults: number;
  readonly samples: number;
  readonly webhooks: number;
  readonly repeats: number;
}

/** What is missing, in words; nothing: it did enough. Pure. */
export function findShortfalls(evidence: Evidence, minimum: Minimum): readonly string[] {
  const answers = ofKind(evidence, 'answered');
  const counts: Readonly<Record<keyof Minimum, number>> = {
    operations: evidence.operations.length,
    answers: answers.length,
    types: new Set(evidence.operations.map(({ type }) => type)).size,
    faults: evidence.faults.filter(({ strikes }) => strikes > 0).length,
    samples: evidence.samples.length,
    webhooks: evidence.receipts.filter(({ verdict }) => verdict === 'verified').length,
    repeats: answers.filter(({ isReplay }) => isReplay).length,
  };
  const names = Object.keys(minimum) as (keyof Minimum)[];
  return names
    .filter((name) => counts[name] < minimum[name])
    .map((name) => `${name}: ${String(counts[name])} of ${String(minimum[name])}`);
}
