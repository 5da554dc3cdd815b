import { FLOORS } from './floors.ts';
import type { PaymentScenario, PaymentType } from './payment-run.ts';
import type { Size } from './options.ts';
import type { Target } from './targets.ts';

type Named = { readonly name: string; readonly figures: readonly ['payments'] } & {
  readonly kind: 'payments';
} & PaymentScenario;

interface Sizes {
  readonly ours: number;
  readonly baseline: number;
  readonly warmUp: number;
}

const SIZES: Readonly<Record<Size, Sizes>> = {
  full: { ours: 3_000, baseline: 1_500, warmUp: 300 },
  half: { ours: 1_500, baseline: 750, warmUp: 200 },
  small: { ours: 400, baseline: 300, warmUp: 64 },
};

const NAMES = {
  deposit: { ours: 'ours, deposits', baseline: 'baseline, deposits' },
  withdrawal: { ours: 'ours, withdrawals', baseline: 'baseline, withdrawals' },
} as const satisfies Record<PaymentType, unknown>;

/** Paying in and paying out, the provider's calls included. */
export function paymentScenarios(size: Size): readonly Named[] {
  const { warmUp, ...sizes } = SIZES[size];
  const types = ['deposit', 'withdrawal'] as const;
  const sides = ['baseline', 'ours'] as const;
  return types.flatMap((type) =>
    sides.map((side) => ({
      ...({ kind: 'payments', figures: ['payments'], name: NAMES[type][side] } as const),
      ...{ side, type, payments: sizes[side], warmUp },
    })),
  );
}

const alike = { figure: 'payments' } as const;
const deposits = { of: NAMES.deposit.ours, against: NAMES.deposit.baseline } as const;
const withdrawals = { of: NAMES.withdrawal.ours, against: NAMES.withdrawal.baseline } as const;

export const PAYMENT_TARGETS: readonly Target[] = [
  {
    ...{ ...alike, ...deposits, what: 'deposits against one job each' },
    ...{ atLeast: 6, floor: FLOORS.deposits },
  },
  {
    ...{ ...alike, ...deposits, what: 'deposits against one job each, by CPU', measure: 'cpu' },
    ...{ atLeast: undefined, floor: FLOORS['deposits, by CPU'] },
  },
  {
    ...{ ...alike, ...withdrawals, what: 'withdrawals against one job each' },
    ...{ atLeast: 6, floor: FLOORS.withdrawals },
  },
  {
    ...{ ...alike, ...withdrawals, what: 'withdrawals against one job each, by CPU' },
    ...{ measure: 'cpu', atLeast: undefined, floor: FLOORS['withdrawals, by CPU'] },
  },
];
