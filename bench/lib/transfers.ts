import { createRandom } from './random.ts';

export type Shape = 'uniform' | 'hot';

export const CURRENCY = 'EUR';

export const userName = (index: number): string => `user-${index}`;

export interface TransferInput {
  readonly fromUserId: string;
  readonly toUserId: string;
  readonly currency: string;
  readonly amount: string;
}

/** `hot`: user 0 pays everything. */
export function transferInputs(
  count: number,
  options: { readonly wallets: number; readonly shape: Shape; readonly seed: number },
): TransferInput[] {
  const random = createRandom(options.seed);
  const pick = (): number => Math.floor(random() * options.wallets);
  return Array.from({ length: count }, () => {
    const from = options.shape === 'hot' ? 0 : pick();
    let to = pick();
    if (to === from) to = (to + 1) % options.wallets;
    const amount = String(1 + Math.floor(random() * 10_000));
    return { fromUserId: userName(from), toUserId: userName(to), currency: CURRENCY, amount };
  });
}
