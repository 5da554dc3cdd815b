import type { RateLimiter } from '../../core/access/rate-limiter.ts';
import type { Endpoint } from './endpoint.ts';
import type { Stage } from './exchange.ts';

export interface LimitDeps {
  readonly limiter: RateLimiter;
}

/**
 * Takes one of the caller's rates, where its plan has some, and says on the answer what is left. What
 * stays open takes nothing: streams have seats.
 */
export function limit({ limit: kind }: Endpoint, { limiter }: LimitDeps): Stage | undefined {
  if (kind !== 'read' && kind !== 'write') return undefined;
  return {
    name: 'limit',
    before: (one) => {
      if (one.principal === undefined) return undefined;
      one.meter = limiter.meter(one.principal, kind);
      return one.meter?.take(1);
    },
    after: ({ meter }, reply) =>
      meter === undefined ? reply : { ...reply, headers: { ...reply.headers, ...meter.headers() } },
  };
}
