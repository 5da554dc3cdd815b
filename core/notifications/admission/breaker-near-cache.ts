import { LRUCache } from 'lru-cache';
import { LIMITS } from '../../../config/limits.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Report } from './breaker.ts';
import type { Breakers, Entry, Exit, Hold, Samples } from './breaker-cache.ts';

interface Known {
  samples: Samples;
  untilMs: number;
  /** Good calls that have not been told of yet. */
  untold: number;
}

interface NearDeps {
  readonly shared: Breakers;
  readonly clock: Pick<Clock, 'monotonicMs' | 'after'>;
}

/**
 * What goes well is asked and told together: a breaker that was closed a moment ago lets calls
 * through without being asked, and good calls are counted in groups. All that is not good is told at
 * once, and has its answer before its place is free.
 */
export function createNearBreakers({ shared, clock }: NearDeps): Breakers {
  const known = new LRUCache<string, Known>({ max: LIMITS.breakersMax });
  const unheld = new LRUCache<string, number>({ max: LIMITS.breakersMax });

  const learn = (key: string, samples: Samples): void => {
    const untold = known.get(key)?.untold ?? 0;
    const untilMs = clock.monotonicMs() + LIMITS.breakerNearMs;
    const good = samples.good + untold;
    known.set(key, { untold, untilMs, samples: { good, bad: samples.bad } });
  };
  const fresh = (key: string): Known | undefined => {
    const one = known.get(key);
    return one !== undefined && clock.monotonicMs() < one.untilMs ? one : undefined;
  };
  const heed = (key: string, { openMs, samples }: Exit): void => {
    if (openMs > 0) known.delete(key);
    else learn(key, samples);
  };
  const flush = async (key: string): Promise<void> => {
    const one = known.get(key);
    if (one === undefined || one.untold === 0) return;
    const count = one.untold;
    one.untold = 0;
    const report = { isGood: true, isProbe: false };
    const exits = await Promise.all(Array.from({ length: count }, () => shared.leave(key, report)));
    const last = exits.at(-1);
    if (last !== undefined) heed(key, last);
  };

  return Object.freeze({
    enter: async (key: string, ratePerSecond: number, holdKey = ''): Promise<Entry> => {
      const place = `${key}\n${holdKey}`;
      const one = ratePerSecond === 0 ? fresh(key) : undefined;
      if (one !== undefined && clock.monotonicMs() < (unheld.get(place) ?? 0)) {
        return { kind: 'go', isProbe: false, samples: one.samples };
      }
      const entry = await shared.enter(key, ratePerSecond, holdKey);
      if (entry.kind === 'go' && !entry.isProbe) {
        learn(key, entry.samples);
        unheld.set(place, clock.monotonicMs() + LIMITS.breakerNearMs);
      } else if (entry.kind === 'open') known.delete(key);
      return entry;
    },
    leave: async (key: string, report: Report, hold: Hold = { key: '', ms: 0 }): Promise<Exit> => {
      const one = fresh(key);
      if (one !== undefined && report.isGood && !report.isProbe && hold.ms === 0) {
        one.samples = { good: one.samples.good + 1, bad: one.samples.bad };
        one.untold += 1;
        if (one.untold === 1) {
          clock.after(LIMITS.breakerTellMs, () => {
            flush(key).catch(() => undefined); // breakers do not reject
          });
        }
        return { openMs: 0, samples: one.samples };
      }
      if (hold.ms > 0) unheld.delete(`${key}\n${hold.key}`);
      // In one turn, so that it is one call.
      const [, exit] = await Promise.all([flush(key), shared.leave(key, report, hold)]);
      heed(key, exit);
      return exit;
    },
  } satisfies Breakers);
}
