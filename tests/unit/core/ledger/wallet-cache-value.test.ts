import { describe, expect, it } from 'vitest';
import { READ_LIMITS } from '../../../../config/read-limits.ts';
import { openWallet } from '../../../../core/ledger/wallet.ts';
import { decodeWallet, encodeWallet, isLater } from '../../../../core/ledger/wallet-cache-value.ts';

const NOW = 1_700_000_000_000;
const opened = openWallet({
  ...{ tenantId: 't', userId: 'ann', currency: 'EUR', overdraftLimit: 5n, ownerBlocked: true },
  at: new Date(NOW - 60_000),
});
const wallet = {
  ...opened,
  balance: 9_007_199_254_740_993n,
  totalCredited: 9_007_199_254_740_993n,
  seq: 7,
};
const KEY = 'p:wallet';
const text = encodeWallet(KEY, { wallet, atMs: NOW });
const expected = { key: KEY, tenantId: 't', id: wallet._id, nowMs: NOW };

describe('a cached wallet', () => {
  it('comes back as it was, every digit of it', () => {
    expect(decodeWallet(text, expected)).toEqual({ wallet, atMs: NOW });
  });

  it.each([
    ['garbage', 'garbage'],
    ['nothing', ''],
    ['a number', '17'],
    ['half of it', text.slice(0, text.length / 2)],
    ['a future seq', text.replace('|7|', '|8|')],
    ['another balance', text.replace('9007199254740993', '9007199254740994')],
    ['more behind it', `${text} `],
    ["another wallet's", encodeWallet('p:other', { wallet, atMs: NOW })],
    [
      'what no wallet can be',
      encodeWallet(KEY, { wallet: { ...wallet, status: 'lost' as 'active' }, atMs: NOW }),
    ],
    [
      "another tenant's under this key",
      encodeWallet(KEY, { wallet: { ...wallet, tenantId: 'u' }, atMs: NOW }),
    ],
  ])('is none where there is %s', (_what, value) => {
    expect(decodeWallet(value, expected)).toBeUndefined();
  });

  it('is none once it is too old, or of a time that has not come', () => {
    const at = (nowMs: number) => decodeWallet(text, { ...expected, nowMs });
    expect(at(NOW + READ_LIMITS.walletCacheMs)).toBeDefined();
    expect(at(NOW + READ_LIMITS.walletCacheMs + 1)).toBeUndefined();
    expect(at(NOW - READ_LIMITS.cacheSkewMs - 1)).toBeUndefined();
  });

  it('is later by its entries, then by its change, then by its time', () => {
    const one = { wallet, atMs: NOW };
    const changed = { ...wallet, updatedAt: new Date(NOW) };
    expect(isLater({ wallet: { ...wallet, seq: 8 }, atMs: 0 }, one)).toBe(true);
    expect(isLater({ wallet: { ...wallet, seq: 6 }, atMs: NOW + 9 }, one)).toBe(false);
    expect(isLater({ wallet: changed, atMs: 0 }, one)).toBe(true);
    expect(isLater({ ...one, atMs: NOW + 1 }, one)).toBe(true);
    expect(isLater(one, one)).toBe(false);
  });
});
