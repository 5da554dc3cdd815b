import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ADMIN_KEY, expectProblem, parametersOf, useApi } from '../../support/api.ts';
import { credit } from './corpus.ts';

const api = useApi();

describe('queries', () => {
  const cursor = (value: unknown): string =>
    Buffer.from(JSON.stringify(value)).toString('base64url');
  const query = (name: string, value: string) =>
    `/v1/operations?${name}=${encodeURIComponent(value)}`;
  it.each([
    { path: query('cursor', 'made-up'), code: 'invalid_cursor', parameter: 'cursor' },
    { path: query('cursor', cursor(['holds', 'x'])), code: 'invalid_cursor', parameter: 'cursor' },
    {
      path: query('cursor', cursor(['operations', { $gt: '' }])),
      code: 'invalid_cursor',
      parameter: 'cursor',
    },
    {
      path: query('cursor', cursor(['operations', 'zzz'])),
      code: 'invalid_cursor',
      parameter: 'cursor',
    },
    { path: query('limit', '0'), code: 'invalid_request', parameter: 'limit' },
    { path: query('limit', '201'), code: 'invalid_request', parameter: 'limit' },
    { path: query('limit', '1e2'), code: 'invalid_request', parameter: 'limit' },
    { path: '/v1/operations?limit=1&limit=2', code: 'invalid_request', parameter: 'limit' },
    { path: query('status', 'lost'), code: 'invalid_request', parameter: 'status' },
    { path: query('status[$ne]', 'x'), code: 'invalid_request', parameter: 'status[$ne]' },
    { path: query('ids', 'op_1,op_2'), code: 'invalid_request', parameter: 'ids' },
    {
      path: query('createdAfter', 'yesterday'),
      code: 'invalid_request',
      parameter: 'createdAfter',
    },
    { path: query('metadata', 'x'), code: 'invalid_request', parameter: 'metadata.' },
    { path: query('metadata.a.b', 'x'), code: 'invalid_request', parameter: 'metadata.a.b' },
    { path: query('__proto__', 'x'), code: 'invalid_request', parameter: '__proto__' },
    { path: '/v1/holds?status=open', code: 'invalid_request', parameter: 'status' },
    {
      path: `/v1/wallets/wal_x/balance?at=${encodeURIComponent('2020-13-45T00:00:00Z')}`,
      code: 'invalid_request',
      parameter: 'at',
    },
  ])('$path: $code', async ({ path, code, parameter }) => {
    const answer = await api.ask(path);
    expectProblem(answer, 400, code);
    expect(parametersOf(answer)).toEqual([parameter]);
  });

  it('tells whoever names an unknown parameter which there are', async () => {
    const answer = await api.ask('/v1/transactions?user=ada');
    expectProblem(answer, 400, 'invalid_request');
    expect(answer.body.detail).toContain('there are limit, cursor, order, after, userId');
  });

  it('refuses a path that cannot be decoded', async () => {
    expectProblem(await api.ask('/v1/users/%E0%A4%A'), 400, 'invalid_request');
  });
});

describe('what never becomes a request', () => {
  const raw = (lines: readonly string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(api.port, '127.0.0.1');
      let answer = '';
      socket.setEncoding('utf8');
      socket.on('data', (text: string) => {
        answer += text;
      });
      socket.on('close', () => {
        resolve(answer);
      });
      socket.on('error', reject);
      socket.end(`${lines.join('\r\n')}\r\n\r\n`);
    });

  it.each([
    {
      name: 'a control character in a header',
      lines: ['GET /v1/operations HTTP/1.1', 'Host: x', 'X-Correlation-Id: a\u0001b'],
      code: 'invalid_header',
    },
    {
      name: 'a header of 20 kB',
      lines: ['GET /v1/operations HTTP/1.1', 'Host: x', `X-Long: ${'a'.repeat(20_000)}`],
      code: 'invalid_header',
    },
    { name: 'something that is not HTTP', lines: ['HELO sluice'], code: 'invalid_request' },
  ])('$name gets a problem document: $code', async ({ lines, code }) => {
    const answer = await raw(lines);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).toContain('Content-Type: application/problem+json\r\n');
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({ status: 400, code });
  });

  it('two idempotency keys are none', async () => {
    const body = JSON.stringify(credit());
    const answer = await raw([
      'POST /v1/operations HTTP/1.1',
      'Host: x',
      `Authorization: Bearer ${ADMIN_KEY}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      'Connection: close',
      'Idempotency-Key: a',
      'Idempotency-Key: b',
      '',
      body,
    ]);
    expect(answer).toContain('"code":"idempotency_key_invalid"');
  });
});
