import { type Finding, unknownOf } from './finding.ts';
import type { HealthSample } from './samples.ts';

const SHOWN = 5;

/** Money is sound or it is not: there is nothing in between. Pure. */
export function analyseMoney({ money }: HealthSample): readonly Finding[] {
  if (money === undefined) {
    return [unknownOf('entries-balance', 'MongoDB'), unknownOf('wallets-agree', 'MongoDB')];
  }
  const { entries, operations, unbalanced, wallets, disagreeing } = money;
  return [
    {
      check: 'entries-balance',
      verdict: unbalanced.length > 0 ? 'critical' : 'ok',
      summary:
        unbalanced.length > 0
          ? `${unbalanced.length} of the last ${operations} operations have entries that do not sum to zero`
          : `The entries of the last ${operations} operations sum to zero`,
      evidence: {
        entries,
        operations,
        unbalanced: unbalanced.length,
        ...listed('ids', unbalanced),
      },
    },
    {
      check: 'wallets-agree',
      verdict: disagreeing.length > 0 ? 'critical' : 'ok',
      summary:
        disagreeing.length > 0
          ? `${disagreeing.length} of ${wallets} wallets say another balance than their last entry`
          : `${wallets} wallets say what their last entries say`,
      evidence: { wallets, disagreeing: disagreeing.length, ...listed('ids', disagreeing) },
    },
  ];
}

function listed(name: string, ids: readonly string[]): Readonly<Record<string, string>> {
  return ids.length === 0 ? {} : { [name]: ids.slice(0, SHOWN).join(' ') };
}
