import { describe, expect, it } from 'vitest';
import {
  clientErrorOf,
  problemHeaders,
  problemOf,
  problemText,
  statusOfCode,
} from '../../../../api/http/problem.ts';
import { AppError, ERRORS, InvariantError, isErrorCode } from '../../../../core/kernel/errors.ts';

describe('a problem document', () => {
  it('has the standard members, then ours', () => {
    const errors = [{ pointer: '/a', detail: 'is wrong' }];
    const error = new AppError('invalid_request', 'No', { errors });
    expect(Object.entries(problemOf(error, { instance: '/v1/x', correlationId: 'c' }))).toEqual([
      ['type', '/problems/invalid_request'],
      ['title', 'The request does not fit the schema'],
      ['status', 400],
      ['detail', 'No'],
      ['instance', '/v1/x'],
      ['code', 'invalid_request'],
      ['retryable', false],
      ['correlationId', 'c'],
      ['errors', errors],
    ]);
  });

  it('has a client or server status for every code, and says whether to retry', () => {
    for (const code of Object.keys(ERRORS).filter(isErrorCode)) {
      const status = statusOfCode(code);
      expect(status).toBeGreaterThanOrEqual(400);
      const { retryable } = problemOf({ code, detail: '' }, {});
      expect({ code, retryable }).toEqual({ code, retryable: ERRORS[code].retry !== 'never' });
      if (status === 429 || status === 503) {
        expect({ code, retryable }).toEqual({ code, retryable: true });
      }
    }
  });

  it('quotes no more of a request than it may', () => {
    const long = '😀'.repeat(400_000);
    const errors = Array.from({ length: 80_000 }, (_, index) => {
      return { pointer: `/${index}${long}`, detail: long };
    });
    const text = problemText(problemOf({ code: 'invalid_request', detail: long, errors }, {}));
    expect(text.length).toBeLessThan(100_000);
    expect(text).not.toMatch(/\\ud/);
    expect(JSON.parse(text).errors).toHaveLength(50);
  });

  it('is always written, even when it cannot be', () => {
    const problem = problemOf({ code: 'invalid_request', detail: '' }, {});
    const looped = { ...problem, self: {} };
    looped.self = looped;
    expect(JSON.parse(problemText(looped))).toMatchObject({ code: 'internal', status: 500 });
  });
});

describe('what the client learns of an error', () => {
  it.each([
    new InvariantError('a secret of ours', { walletId: 'wal_1' }),
    new TypeError('x is not a function'),
    'a text',
    undefined,
    { toString: () => 'nothing' },
  ])('%s: nothing but that it was our fault', (thrown) => {
    const error = clientErrorOf(thrown);
    expect({ code: error.code, detail: error.detail }).toEqual({
      code: 'internal',
      detail: 'Something went wrong on our side',
    });
  });

  it('what was meant for it', () => {
    const error = new AppError('not_found', 'There is no such wallet');
    expect(clientErrorOf(error)).toBe(error);
  });
});

describe('headers of a refusal', () => {
  it.each([
    [new AppError('backlog_full', '', { retryAfterSeconds: 5 }), { 'Retry-After': '5' }],
    [new AppError('ledger_unavailable', ''), { 'Retry-After': '1' }],
    [new AppError('rate_limited', '', { retryAfterSeconds: 0 }), { 'Retry-After': '0' }],
    [
      new AppError('unauthenticated', ''),
      { 'WWW-Authenticate': 'Bearer realm="sluice", error="invalid_token"' },
    ],
    [
      new AppError('forbidden', '', { context: { scope: 'ledger:read' } }),
      {
        'WWW-Authenticate':
          'Bearer realm="sluice", error="insufficient_scope", scope="ledger:read"',
      },
    ],
    [
      new AppError('method_not_allowed', '', { context: { allow: 'GET, POST' } }),
      { Allow: 'GET, POST' },
    ],
    [new AppError('invalid_request', ''), {}],
    [new AppError('internal', ''), {}],
  ])('%s', (error, headers) => {
    expect(problemHeaders(error)).toEqual(headers);
  });
});
