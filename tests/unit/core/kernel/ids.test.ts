import { describe, expect, it } from 'vitest';
import {
  derivedId,
  isOperationId,
  newOperationId,
  newSecret,
  newToken,
  originOf,
  walletIdOf,
} from '../../../../core/kernel/ids.ts';
import { allOf } from '../../../../core/kernel/every.ts';

describe('operation ids', () => {
  it('are unique, free of ":" and sorted by when they were made, within a millisecond too', () => {
    const ids = Array.from({ length: 20_000 }, () => newOperationId());
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual(ids);
    expect(allOf(ids, (id) => isOperationId(id) && !id.includes(':'))).toBe(true);
  });

  it.each([
    '',
    'op_',
    'op_1',
    `op_${'g'.repeat(32)}`,
    `op_${'A'.repeat(32)}`,
    `${newOperationId()} `,
  ])('are not mistaken: %j', (text) => {
    expect(isOperationId(text)).toBe(false);
  });
});

describe('derived ids', () => {
  it('lead back to the operation, also from an item of a batch', () => {
    const id = newOperationId();
    for (const prefix of ['trf', 'hld'] as const) {
      expect(originOf(prefix, derivedId(prefix, id))).toBe(id);
      expect(originOf(prefix, derivedId(prefix, `${id}-999`))).toBe(id);
    }
  });

  it.each(['', 'trf_', 'hld_x', `hld_${'a'.repeat(32)}`, `trf_${'a'.repeat(32)}-12345`, 'trf_-1'])(
    'are refused when they are not of that kind: %j',
    (text) => {
      expect(originOf('trf', text)).toBeUndefined();
    },
  );
});

describe('wallet ids', () => {
  it('are the same for the same wallet, on every version', () => {
    expect(walletIdOf('acme', 'ann', 'EUR')).toBe('wal_ddb08963a9afeeff6d716b8d8eb079d0');
  });

  it('differ by tenant, user and currency, wherever the border between them falls', () => {
    const ids = [
      walletIdOf('a', 'b', 'EUR'),
      walletIdOf('ab', '', 'EUR'),
      walletIdOf('', 'ab', 'EUR'),
      walletIdOf('a', 'bE', 'UR'),
      walletIdOf('a', 'b', 'USD'),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('secrets and tokens', () => {
  it('are long, random and usable in ids and headers', () => {
    expect(newSecret()).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(newToken()).toMatch(/^[0-9a-f]{16}$/);
    expect(newSecret()).not.toBe(newSecret());
  });
});
