import type { Principal } from '../../core/access/api-key.ts';
import type { Meter, RateLimiter } from '../../core/access/rate-limiter.ts';
import type { Endpoint } from './endpoint.ts';

/** The rates that a request takes from. Undefined: nothing limits it. */
export function meterOf(
  limiter: RateLimiter,
  principal: Principal,
  { method, isUnmetered }: Pick<Endpoint, 'method' | 'isUnmetered'>,
): Meter | undefined {
  if (isUnmetered) return undefined;
  return limiter.meter(principal, method === 'GET' ? 'read' : 'write');
}
