import { type Json, canonicalJson } from '../../kernel/canonical.ts';
import type { EntryDoc } from '../documents.ts';

/**
 * An entry as it stands in the tree: JSON with its keys in the order of their code units and nothing
 * between the tokens, in UTF-8. Amounts are decimal digits, times are UTC in milliseconds. What an entry
 * lacks is left out. `v` says which fields there are.
 */
export function leafOf(entry: EntryDoc): string {
  const { _id: id, amount, balanceAfter, createdAt, decidedAt, effectiveAt, ...rest } = entry;
  const { operationId, leg, tenantId, walletId, userId, currency, balanceType, direction, seq } =
    rest;
  const { transferId, holdId, description, metadata } = rest;
  const fields: Readonly<Record<string, Json | undefined>> = {
    ...{ v: 1, id, operationId, leg, tenantId, walletId, userId, currency, balanceType, direction },
    ...{ seq, amount: String(amount), balanceAfter: String(balanceAfter) },
    ...{ createdAt: textOf(createdAt), decidedAt: textOf(decidedAt) },
    ...{ effectiveAt: textOf(effectiveAt), transferId, holdId, description, metadata },
  };
  const present = Object.entries(fields).filter(([, value]) => value !== undefined);
  return canonicalJson(Object.fromEntries(present) as Json);
}

function textOf(date: Date | undefined): string | undefined {
  return date?.toISOString();
}
