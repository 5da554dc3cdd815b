import { describe, expect, it } from 'vitest';
import { jumpsOf } from '../../../console/src/pure/jump.ts';

const BODY = '0123456789abcdef0123456789abcdef';
const first = (text: string): string | undefined => jumpsOf(text)[0]?.href;

describe('a text that is pasted', () => {
  it.each([
    [`op_${BODY}`, `/admin/operations/op_${BODY}`],
    [`  op_${BODY}\n`, `/admin/operations/op_${BODY}`],
    [`GET /v1/operations/op_${BODY}/timeline 200`, `/admin/operations/op_${BODY}`],
    [`op_${BODY}.1`, `/admin/operations/op_${BODY}`], // the job of a queue
    [`trf_${BODY}`, `/admin/operations/op_${BODY}`],
    [`trf_${BODY}-17`, `/admin/operations/op_${BODY}`],
    [`hld_${BODY}`, `/admin/operations/op_${BODY}`],
    [`wal_${BODY}`, `/admin/wallets/wal_${BODY}`],
    [`whk_${BODY}`, `/admin/webhooks/whk_${BODY}`],
    [`dlv_${BODY}-0-email`, `/admin/deliveries/dlv_${BODY}-0-email`],
    ['ann', '/admin/users/ann'],
    ['a/b?c', '/admin/users/a%2Fb%3Fc'],
  ])('%j leads to %s', (text, href) => {
    expect(first(text)).toBe(href);
  });

  it('that is no id may be a user or a key', () => {
    expect(jumpsOf('order 7&8').map(({ href }) => href)).toEqual([
      '/admin/users/order%207%268',
      '/admin/operations?userId=order+7%268',
      '/admin/operations?idempotencyKey=order+7%268',
    ]);
  });

  it('that is empty leads nowhere', () => {
    expect(jumpsOf('  ')).toEqual([]);
  });
});
