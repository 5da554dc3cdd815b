import { type EntryRow, type HoldRow, type OperationRow, isOver } from './evidence.ts';
import { type Finding, type Rule, addTo, byId, grouped, sumsText } from './rule.ts';
import { noneFails } from '../../../core/kernel/every.ts';

/** `<user> <balance type>` to the sum that an operation has moved there, users only. */
type Effect = Map<string, bigint>;

interface Input {
  readonly userId?: string;
  readonly fromUserId?: string;
  readonly toUserId?: string;
  readonly amount?: string;
  readonly fee?: string;
  readonly balanceType?: 'real' | 'bonus';
  readonly holdId?: string;
  readonly transferId?: string;
  readonly operations?: readonly { readonly type: string; readonly input: Input }[];
}

interface Result {
  readonly amount?: string;
  readonly released?: string;
  readonly bonus?: string;
}

interface Context {
  readonly holds: ReadonlyMap<string, HoldRow>;
  /** Who paid whom, by the id of the transfer. */
  readonly transfers: ReadonlyMap<string, Input>;
}

interface Done {
  readonly input: Input;
  readonly result: Result;
  readonly context: Context;
}

type EffectOf = (done: Done) => readonly (readonly [string | undefined, string, bigint])[];

const big = (text: string | undefined): bigint => BigInt(text ?? '0');
const nothing: EffectOf = () => [];

/** What a type does to the wallets of users when it succeeds: the model, apart from the code. */
const EFFECTS: Readonly<Record<string, EffectOf>> = {
  'user.create': nothing,
  'user.update': nothing,
  'wallet.open': nothing,
  'wallet.update': nothing,
  'tenant.provision': nothing,
  'notification.send': nothing,
  'wallet.credit': ({ input }) => [
    [input.userId, input.balanceType ?? 'real', big(input.amount)],
    [input.userId, 'real', -big(input.fee)],
  ],
  'wallet.debit': ({ input }) => [
    [input.userId, input.balanceType ?? 'real', -big(input.amount)],
    [input.userId, 'real', -big(input.fee)],
  ],
  transfer: ({ input }) => [
    [input.fromUserId, 'real', -big(input.amount) - big(input.fee)],
    [input.toUserId, 'real', big(input.amount)],
  ],
  'transfer.reverse': ({ input, result, context }) => {
    const original = context.transfers.get(input.transferId ?? '');
    const value = big(input.amount ?? result.amount);
    return [
      [original?.toUserId, 'real', -value],
      [original?.fromUserId, 'real', value],
    ];
  },
  'hold.place': ({ input }) => [[input.userId, 'locked', big(input.amount)]],
  'hold.capture': ({ input, result, context }) => {
    const user = context.holds.get(input.holdId ?? '')?.userId;
    const value = big(input.amount ?? result.amount);
    return [
      [user, 'locked', -value],
      [user, 'real', -value],
      [input.toUserId ?? 'sys:', 'real', value],
    ];
  },
  'hold.release': ({ input, result, context }) => [
    [context.holds.get(input.holdId ?? '')?.userId, 'locked', -big(result.released)],
  ],
  'bonus.award': ({ input }) => [[input.userId, 'bonus', big(input.amount)]],
  'bonus.convert': ({ input, result }) => {
    const value = big(input.amount ?? result.amount);
    return [
      [input.userId, 'bonus', -value],
      [input.userId, 'real', value],
    ];
  },
  deposit: ({ input, result }) => [
    [input.userId, 'real', big(input.amount)],
    [input.userId, 'bonus', big(result.bonus)],
  ],
  withdrawal: ({ input }) => [[input.userId, 'real', -big(input.amount)]],
  batch: ({ input, context }) =>
    (input.operations ?? []).flatMap((item) =>
      (EFFECTS[item.type] ?? nothing)({ input: item.input, result: {}, context }),
    ),
};

function wantedOf(operation: OperationRow, context: Context): Effect {
  const wanted: Effect = new Map();
  const effectOf = EFFECTS[operation.type];
  if (operation.status !== 'succeeded' || effectOf === undefined) return wanted;
  const done = {
    input: operation.input as Input, // stored as its schema left it
    result: (operation.result ?? {}) as Result,
    context,
  };
  for (const [user = '?', type, amount] of effectOf(done)) {
    if (!user.startsWith('sys:')) addTo(wanted, `${user} ${type}`, amount);
  }
  return wanted;
}

function movedBy(entries: readonly EntryRow[]): Effect {
  const moved: Effect = new Map();
  for (const { userId, balanceType, amount } of entries) {
    if (!userId.startsWith('sys:')) addTo(moved, `${userId} ${balanceType}`, amount);
  }
  return moved;
}

/** Who paid whom, by transfer: those in batches bear the number of their place. */
function transfersOf(operations: readonly OperationRow[]): ReadonlyMap<string, Input> {
  return new Map(
    operations.flatMap(({ id, type, input }): (readonly [string, Input])[] => {
      const name = `trf_${id.slice(3)}`;
      if (type === 'transfer') return [[name, input as Input]];
      const items = type === 'batch' ? ((input as Input).operations ?? []) : [];
      return items.map((item, index) => [`${name}-${String(index)}`, item.input]);
    }),
  );
}

const inTheLedger: Rule = {
  name: "an operation's effect is that of its final state",
  breaks: 'P2, I5: double, missing or wrong effect in the ledger',
  check: ({ operations, entries, holds }) => {
    const own = grouped(entries, ({ operationId }) => operationId);
    const context = { holds: byId(holds), transfers: transfersOf(operations) };
    return operations
      .filter(
        ({ status, type }) => isOver(status) && status !== 'needs_attention' && type in EFFECTS,
      )
      .flatMap((operation): Finding[] => {
        const wanted = sumsText(wantedOf(operation, context));
        const moved = sumsText(movedBy(own.get(operation.id) ?? []));
        if (wanted === moved) return [];
        const { id, type, status } = operation;
        return [
          [id, `${type} ${status} moved ${moved || 'nothing'} instead of ${wanted || 'nothing'}`],
        ];
      });
  },
};

/** Which payment at the provider makes an operation's effect outside. */
const OUTSIDE: Readonly<Record<string, string>> = { deposit: 'captures', withdrawal: 'payouts' };

const atTheProvider: Rule = {
  name: "an operation's payments are those of its final state",
  breaks: 'P2, I5: double, missing or wrong effect at the provider',
  check: ({ operations, payments }) => {
    const own = grouped(payments, ({ key }) => key.split('.')[0] ?? '');
    const stored = byId(operations);
    const wrong = operations
      .filter(
        ({ status, type }) => isOver(status) && status !== 'needs_attention' && type in OUTSIDE,
      )
      .flatMap(({ id, type, status, input }): Finding[] => {
        const effective = (own.get(id) ?? []).filter(
          (one) => one.status === 'succeeded' && !one.isVoided,
        );
        const paid = effective.filter(({ kind }) => kind === OUTSIDE[type]);
        const open = effective.filter(({ kind }) => kind === 'authorisations');
        const wanted = status === 'succeeded' ? 1 : 0;
        const { amount } = input as Input;
        const isRight = paid.length === wanted && noneFails(paid, (one) => one.amount === amount);
        if (isRight && (wanted === 1 || open.length === 0)) return [];
        const found = `${String(paid.length)} ${OUTSIDE[type] ?? ''}`;
        const unused = `${String(open.length)} open authorisations`;
        return [[id, `${type} ${status}: ${found}, ${unused}`]];
      });
    const foreign = [...own.keys()].filter((id) => id.startsWith('op_') && !stored.has(id));
    return [
      ...wrong,
      ...foreign.map((id): Finding => [id, 'paid for an operation that does not exist']),
    ];
  },
};

export const EFFECT_RULES: readonly Rule[] = [inTheLedger, atTheProvider];
