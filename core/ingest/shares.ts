/** Places that tenants share. Who floods them leaves room for others, and waits alone. */
export interface Shares {
  take(tenantId: string, places: number): void;
  giveBack(tenantId: string, places: number): void;
  isFullFor(tenantId: string): boolean;
}

/**
 * Whether a tenant has had its share: it may have as many places as it leaves free. So one alone gets
 * half of all, n of them `n / (n + 1)` together, and who has nothing always finds something. `ownMax`:
 * as many instead.
 */
export function hasItsShare(
  own: number,
  { all, max, ownMax = max - all }: { all: number; max: number; ownMax?: number },
): boolean {
  return all >= max || own >= ownMax;
}

export function createShares(max: number): Shares {
  const taken = new Map<string, number>();
  let all = 0;
  const change = (tenantId: string, by: number): void => {
    all += by;
    const left = (taken.get(tenantId) ?? 0) + by;
    if (left > 0) taken.set(tenantId, left);
    else taken.delete(tenantId);
  };
  return Object.freeze({
    take: change,
    giveBack: (tenantId: string, places: number) => {
      change(tenantId, -places);
    },
    isFullFor: (tenantId: string) => hasItsShare(taken.get(tenantId) ?? 0, { all, max }),
  });
}
