import type { Clock } from '../../core/kernel/clock.ts';

/** Counts failed attempts per address and altogether, in windows. */
export interface Throttle {
  /** Seconds until the address may try again; 0: now. */
  waitSeconds(address: string): number;
  failed(address: string): void;
  succeeded(address: string): void;
}

interface ThrottleOptions {
  readonly clock: Clock;
  readonly perAddressMax: number;
  readonly allMax: number;
  readonly windowMs: number;
}

interface Window {
  readonly endsMs: number;
  readonly count: number;
}

/** When so many addresses fail at once, the common limit does the work anyway. */
const ADDRESSES_MAX = 1_000;

export function createThrottle(options: ThrottleOptions): Throttle {
  const { clock, perAddressMax, allMax, windowMs } = options;
  const byAddress = new Map<string, Window>();
  let all: Window = { endsMs: 0, count: 0 };

  const current = (window: Window | undefined): Window => {
    const now = clock.monotonicMs();
    return window !== undefined && window.endsMs > now
      ? window
      : { endsMs: now + windowMs, count: 0 };
  };
  const left = ({ endsMs, count }: Window, max: number): number =>
    count < max ? 0 : Math.max(1, Math.ceil((endsMs - clock.monotonicMs()) * 0.001));

  return Object.freeze({
    waitSeconds: (address: string) =>
      Math.max(left(current(byAddress.get(address)), perAddressMax), left(current(all), allMax)),
    failed: (address: string) => {
      const own = current(byAddress.get(address));
      if (byAddress.size >= ADDRESSES_MAX) byAddress.clear();
      byAddress.set(address, { ...own, count: own.count + 1 });
      const common = current(all);
      all = { ...common, count: common.count + 1 };
    },
    succeeded: (address: string) => {
      byAddress.delete(address);
    },
  });
}
