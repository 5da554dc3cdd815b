import type { LedgerRules } from '../ledger/verify/verify.ts';
import type { Registry } from '../operations/define.ts';

/** What the definitions say about their entries, as the verifier asks for it. */
export function ledgerRules(registry: Registry): LedgerRules {
  const definitionOf = (type: string) =>
    Object.hasOwn(registry, type) ? registry[type] : undefined;
  return Object.freeze({
    movesMoney: (type: string) => definitionOf(type)?.movesMoney,
    isStepwise: (type: string) => definitionOf(type)?.mode === 'stepwise',
  });
}
