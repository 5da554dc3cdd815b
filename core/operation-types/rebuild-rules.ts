import { z } from 'zod';
import { parseMinor } from '../kernel/money.ts';
import type { HoldTerms } from '../ledger/rebuild/documents.ts';
import type { RebuildRules, StoredRequest } from '../ledger/rebuild/rules.ts';
import type { Setting } from '../ledger/rebuild/settings.ts';
import type { Registry } from '../operations/define.ts';

const minor = z.string().transform((text) => parseMinor(text));
const opening = z.object({ currency: z.string(), overdraftLimit: minor.optional() });

/** What each type sets of wallets, out of its input as it is stored: every version has these fields. */
const SETTINGS = {
  'user.create': (input: unknown): readonly Setting[] => {
    const { userId, wallets } = z
      .object({ userId: z.string(), wallets: z.array(opening).default([]) })
      .parse(input);
    const opened = wallets.map(({ currency, overdraftLimit = 0n }) => ({
      ...{ kind: 'open' as const, userId, currency, overdraftLimit },
    }));
    return [{ kind: 'user', userId, status: 'active' }, ...opened];
  },
  'user.update': (input: unknown): readonly Setting[] => {
    const { userId, status } = z
      .object({ userId: z.string(), status: z.enum(['active', 'blocked']).optional() })
      .parse(input);
    return status === undefined ? [] : [{ kind: 'user', userId, status }];
  },
  'wallet.open': (input: unknown): readonly Setting[] => {
    const {
      userId,
      currency,
      overdraftLimit = 0n,
    } = opening.extend({ userId: z.string() }).parse(input);
    return [{ kind: 'open', userId, currency, overdraftLimit }];
  },
  'wallet.update': (input: unknown): readonly Setting[] => {
    const { userId, currency, overdraftLimit, status } = opening
      .extend({ userId: z.string(), status: z.enum(['active', 'frozen', 'closed']).optional() })
      .parse(input);
    return [
      {
        ...{ kind: 'wallet', userId, currency },
        ...(overdraftLimit !== undefined && { overdraftLimit }),
        ...(status !== undefined && { status }),
      },
    ];
  },
} as const satisfies Record<string, (input: unknown) => readonly Setting[]>;

const BATCH = 'batch';
const batchInput = z.object({
  operations: z.array(z.object({ type: z.string(), input: z.unknown() })),
});
const holdInput = z.object({ expiresAt: z.string().optional() });

/** What of the wallets, holds and transfers stands in the operations and not in the log. */
export function rebuildRules(registry: Registry): RebuildRules {
  const settings: Readonly<Record<string, (input: unknown) => readonly Setting[]>> = SETTINGS;
  const settingsOf = ({
    type,
    input,
  }: Pick<StoredRequest, 'type' | 'input'>): readonly Setting[] =>
    type === BATCH
      ? batchInput.parse(input).operations.flatMap((item) => settingsOf(item))
      : (settings[type]?.(input) ?? []);
  return Object.freeze({
    settingTypes: Object.keys(SETTINGS),
    batchType: BATCH,
    settingsOf,
    termsOf: ({ type, input }: StoredRequest, holdId: string): HoldTerms => {
      if (registry[type]?.mode === 'stepwise') return { managedBy: type };
      const { expiresAt } = holdInput.parse(
        type === BATCH ? batchInput.parse(input).operations[itemOf(holdId)]?.input : input,
      );
      return expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) };
    },
  } satisfies RebuildRules);
}

/** What an item of a batch creates is named after the batch and the item's number. */
function itemOf(holdId: string): number {
  return Number.parseInt(holdId.slice(holdId.lastIndexOf('-') + 1), 10);
}
