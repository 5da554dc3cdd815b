import type { IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LIMITS } from '../../../../config/limits.ts';
import { OUTCOME_UNKNOWN } from '../../../../core/infra/database-errors.ts';
import { createBodyBytes } from '../../../../api/http/body-bytes.ts';
import { noBody } from '../../../../api/http/body.ts';
import { type EndpointDeps, defineEndpoint } from '../../../../api/http/endpoint.ts';
import type { Exchange } from '../../../../api/http/exchange.ts';
import type { Reply } from '../../../../api/http/reply.ts';
import { noParams, noQuery } from '../../../../api/http/list.ts';

const never = new Promise<never>(() => undefined);

/** A request to an endpoint whose database does not answer. */
function ask(prefer?: string): { readonly answer: Reply | Promise<Reply> } {
  const endpoint = defineEndpoint({
    method: 'GET',
    path: '/v1/stalled',
    scope: 'ledger:read',
    summary: 'Never answers',
    input: { params: noParams, query: noQuery, body: noBody },
    output: {},
    handle: () => never,
  });
  const headers = prefer === undefined ? {} : { prefer };
  const one = {
    request: { headers, url: '/v1/stalled', rawHeaders: [] } as unknown as IncomingMessage,
    params: {},
    principal: { scopes: ['ledger:read'], tenant: { tenantId: 'default' } },
  } as unknown as Exchange;
  const services = { of: () => ({}) };
  const deps = { services, bodyBytes: createBodyBytes(0) } as unknown as EndpointDeps;
  return { answer: endpoint.run(one, deps) };
}

describe('a database that stalls', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([
    ['25 s', undefined, LIMITS.answerMs],
    ['42 s, with the longest wait', 'wait=30', 42_000],
  ])(
    'holds no request longer than %s, and its outcome is told as unknown',
    async (_s, prefer, ms) => {
      const { answer } = ask(prefer);
      const told = expect(answer).rejects.toMatchObject({
        code: 'ledger_unavailable',
        detail: OUTCOME_UNKNOWN,
      });
      await vi.advanceTimersByTimeAsync(ms);
      expect(vi.getTimerCount()).toBe(0);
      await told;
    },
  );
});
