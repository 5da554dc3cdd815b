import { LIMITS } from '../../config/limits.ts';
import { addressGroup } from '../http/address-group.ts';

/** A connection of Socket.IO's engine: open before anybody has said who it is. */
export interface Stranger {
  readonly remoteAddress: string;
  close(isAtOnce: boolean): unknown;
  once(event: 'close', run: () => void): unknown;
}

export interface Strangers {
  add(stranger: Stranger): void;
  /** It has said who it is. */
  remove(stranger: Stranger): void;
}

interface StrangerLimits {
  readonly all: number;
  readonly address: number;
}

const STRANGERS: StrangerLimits = {
  all: LIMITS.strangersMax,
  address: LIMITS.strangersAddressMax,
};

/**
 * Bounds connections that nobody answers for. The oldest has to go, not the newest to stay out:
 * whoever has a key shows it at once, and those who crowd the door must not keep it shut.
 */
export function createStrangers(limits: StrangerLimits = STRANGERS): Strangers {
  const all = new Set<Stranger>();
  const byAddress = new Map<string, Set<Stranger>>();

  const remove = (stranger: Stranger): void => {
    if (!all.delete(stranger)) return;
    const address = addressGroup(stranger.remoteAddress);
    const near = byAddress.get(address);
    near?.delete(stranger);
    if (near?.size === 0) byAddress.delete(address);
  };
  const evictOldest = (crowd: ReadonlySet<Stranger>, max: number): void => {
    const [oldest] = crowd;
    if (oldest === undefined || crowd.size <= max) return;
    remove(oldest);
    oldest.close(true);
  };

  return Object.freeze({
    add: (stranger: Stranger) => {
      const address = addressGroup(stranger.remoteAddress);
      const near = byAddress.get(address) ?? new Set();
      byAddress.set(address, near);
      near.add(stranger);
      all.add(stranger);
      stranger.once('close', () => {
        remove(stranger);
      });
      evictOldest(near, limits.address);
      evictOldest(all, limits.all);
    },
    remove,
  } satisfies Strangers);
}
