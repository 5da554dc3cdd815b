import type { Redis } from 'ioredis';

/** A breaker as it stands, for people: reading it changes nothing. */
export interface BreakerSight {
  readonly state: 'closed' | 'open' | 'held' | 'unknown';
  readonly until?: Date;
}

interface SightDeps {
  readonly redis: Redis;
  readonly prefix: string;
}

/** `holdKey`: the place within what breaks together. `unknown` while Redis is away; never throws. */
export function createBreakerSight({ redis, prefix }: SightDeps) {
  return async (key: string, holdKey: string): Promise<BreakerSight> => {
    if (redis.status !== 'ready') return { state: 'unknown' };
    try {
      const [[phase, until], heldUntil] = await Promise.all([
        redis.hmget(`${prefix}-breaker:{${key}}`, 'phase', 'until'),
        redis.get(`${prefix}-hold:{${key}}:${holdKey}`),
      ]);
      if (phase === 'open' || phase === 'probing') return { state: 'open', ...timeOf(until) };
      return heldUntil === null ? { state: 'closed' } : { state: 'held', ...timeOf(heldUntil) };
    } catch {
      return { state: 'unknown' };
    }
  };
}

function timeOf(text: string | null | undefined): { readonly until?: Date } {
  const ms = Number(text ?? Number.NaN);
  return Number.isFinite(ms) ? { until: new Date(ms) } : {};
}
