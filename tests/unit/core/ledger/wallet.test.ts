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
