import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../config/limits.ts';
import { SYSTEM_WALLETS, isSystemUser, systemUserId } from '../../../../core/ledger/documents.ts';
import {
  assertWallet,
  availableOf,
  checkCredit,
  checkDebit,
  checkOutgoing,
  openWallet,
  withPosted,
} from '../../../../core/ledger/wallet.ts';
import { userId } from '../../../../core/operations/inputs.ts';
import { AT } from '../../../support/memory-ledger.ts';

const EMPTY = openWallet({
  ...{ tenantId: 'acme', userId: 'ann', currency: 'EUR', overdraftLimit: 50n },
  ...{ ownerBlocked: false, at: AT },
});
const RICH = { ...EMPTY, balance: 100n, totalCredited: 100n, lockedBalance: 30n };
const codeOf = (result: ReturnType<typeof checkDebit>): string =>
  result.ok ? 'ok' : result.failure.code;

describe('what can be spent', () => {
  it('is the balance less what is held plus the overdraft; bonus money does not count', () => {
    expect(availableOf(RICH)).toBe(120n);
    expect(availableOf({ ...RICH, bonusBalance: 1_000n })).toBe(120n);
    expect(codeOf(checkDebit(RICH, 120n))).toBe('ok');
    expect(codeOf(checkDebit(RICH, 121n))).toBe('insufficient_funds');
  });
});

describe('who may pay and be paid', () => {
  it.each([
    [{}, 'ok', 'ok'],
    [{ status: 'frozen' }, 'wallet_frozen', 'ok'],
    [{ ownerBlocked: true }, 'user_blocked', 'ok'],
    [{ status: 'closed' }, 'wallet_closed', 'wallet_closed'],
    [{ status: 'frozen', ownerBlocked: true }, 'wallet_frozen', 'ok'],
  ] as const)('%j: out %s, in %s', (fields, out, into) => {
    const wallet = { ...RICH, ...fields };
    expect([codeOf(checkOutgoing(wallet)), codeOf(checkCredit(wallet))]).toEqual([out, into]);
  });
});

describe('an opened wallet', () => {
  it('is empty, active and sound, and blocked when its owner is', () => {
    expect(() => {
      assertWallet(EMPTY);
    }).not.toThrow();
    expect(EMPTY).toMatchObject({ balance: 0n, seq: 0, status: 'active', ownerBlocked: false });
  });

  it('may not grow beyond the range of balances', () => {
    const balance = LIMITS.balanceMinorMax + 1n;
    expect(() => {
      assertWallet({ ...EMPTY, balance, totalCredited: balance });
    }).toThrow('range');
  });
});

describe('system wallets', () => {
  it('have ids that no tenant can choose for a user', () => {
    for (const name of SYSTEM_WALLETS) {
      const id = systemUserId(name, 3);
      expect(isSystemUser(id)).toBe(true);
      expect(userId.safeParse(id).success).toBe(false);
    }
    expect(userId.safeParse('sysadmin').success).toBe(true);
  });

  it.each([
    '',
    ' ',
    'sys:x',
    '.a',
    '-a',
    'a b',
    'a/b',
    'a|b',
    'a\n',
    'ä',
    'a'.repeat(129),
    '$where',
  ])('and other ids that would break keys are refused for users: %j', (id) => {
    expect(userId.safeParse(id).success).toBe(false);
  });
});

describe('lifetime totals', () => {
  const MAX = LIMITS.totalMinorMax;

  it('count what came in and what went out, each by itself', () => {
    const totals = withPosted({ totalCredited: 5n, totalDebited: 2n }, 10n);
    expect(totals).toEqual({ totalCredited: 15n, totalDebited: 2n });
    expect(withPosted(totals, -4n)).toEqual({ totalCredited: 15n, totalDebited: 6n });
    expect(withPosted(totals, 0n)).toEqual(totals);
  });

  it('are exact up to their limit', () => {
    const full = { totalCredited: MAX - 1n, totalDebited: MAX };
    expect(withPosted(full, 1n)).toEqual({ totalCredited: MAX, totalDebited: MAX });
  });

  it.each([
    [{ totalCredited: MAX, totalDebited: 7n }, 3n, { totalCredited: MAX - 4n, totalDebited: 0n }],
    [{ totalCredited: 7n, totalDebited: MAX }, -3n, { totalCredited: 0n, totalDebited: MAX - 4n }],
  ])(
    'beyond it drop what both sides have in common: the difference stays',
    (full, delta, after) => {
      const found = withPosted(full, delta);
      expect(found).toEqual(after);
      const balance = full.totalCredited - full.totalDebited + delta;
      expect(found.totalCredited - found.totalDebited).toBe(balance);
    },
  );
});

describe('a closed wallet', () => {
  it.each([
    [{}],
    [{ balance: 5n, totalCredited: 5n }],
    [{ lockedBalance: 5n, overdraftLimit: 9n }],
  ])('with %o is sound only if it is empty', (fields) => {
    const closed = { ...EMPTY, ...fields, status: 'closed' as const };
    const isEmpty = closed.balance === 0n && closed.lockedBalance === 0n;
    const look = () => {
      assertWallet(closed);
    };
    if (isEmpty) expect(look).not.toThrow();
    else expect(look).toThrow('closed');
  });
});
