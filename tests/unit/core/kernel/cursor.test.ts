import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCursor, encodeCursor } from '../../../../core/kernel/cursor.ts';
import { AppError } from '../../../../core/kernel/errors.ts';
import { check } from '../../../support/property.ts';

const forged = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a cursor', () => {
  it('gives the key back to its list, and travels in a query string as it is', () => {
    const property = fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (key) => {
      const cursor = encodeCursor('wallets', key);
      expect(decodeCursor('wallets', cursor)).toBe(key);
      expect(encodeURIComponent(cursor)).toBe(cursor);
    });
    check('cursors', property);
  });

  it.each([
    ...[
      '',
      'x',
      '%%%',
      '💥',
      encodeCursor('holds', 'k'),
      forged('wallets'),
      forged({}),
      forged(null),
    ],
    ...[forged(['wallets']), forged(['wallets', 1]), forged(['wallets', { $gt: '' }])],
    ...[
      forged(['wallets', null]),
      forged(['wallets', 'k', 'k']),
      forged(['wallets', 'k'.repeat(301)]),
    ],
  ])('that this list did not issue is refused: %j', (cursor) => {
    let failure: unknown;
    try {
      decodeCursor('wallets', cursor);
    } catch (error) {
      failure = error;
    }
    expect(failure).toBeInstanceOf(AppError);
    expect(failure).toMatchObject({ code: 'invalid_cursor', kind: 'validation' });
  });
});
