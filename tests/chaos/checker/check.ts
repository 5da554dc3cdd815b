import { ACCEPTANCE_RULES } from './acceptance-rules.ts';
import { EFFECT_RULES } from './effect-rules.ts';
import { type Minimum, findShortfalls } from './enough.ts';
import type { Evidence } from './evidence.ts';
import { LEDGER_RULES } from './ledger-rules.ts';
import { ORDER_RULES } from './order-rules.ts';
import { type Rule, type Violation, runRules } from './rule.ts';
import { SURROUNDINGS_RULES } from './surroundings-rules.ts';

export const RULES: readonly Rule[] = [
  ...ACCEPTANCE_RULES,
  ...LEDGER_RULES,
  ...EFFECT_RULES,
  ...ORDER_RULES,
  ...SURROUNDINGS_RULES,
];

/** `inconclusive`: nothing was found, and too little was done to find anything. */
export type Verdict = 'sound' | 'broken' | 'inconclusive';

export interface Judgement {
  readonly verdict: Verdict;
  readonly violations: readonly Violation[];
  readonly shortfalls: readonly string[];
}

/** The whole judgement on a run; `before`: what the same cluster had done already. Pure. */
export function judge(evidence: Evidence, minimum: Minimum, before: Minimum): Judgement {
  const violations = runRules(RULES, evidence);
  const shortfalls = findShortfalls(evidence, minimum, before);
  const otherwise = shortfalls.length > 0 ? 'inconclusive' : 'sound';
  return { verdict: violations.length > 0 ? 'broken' : otherwise, violations, shortfalls };
}
