import { LIMITS } from '../../config/limits.ts';
import { AppError } from '../../core/kernel/errors.ts';
import { addressGroup } from '../http/address-group.ts';

/** Who wants to stay connected. */
export interface Guest {
  readonly keyId: string;
  readonly tenantId: string;
  readonly address: string | undefined;
}

/** How many streams and sockets there may be in this process, altogether and of one kind each. */
export interface SeatLimits {
  readonly all: number;
  readonly key: number;
  readonly tenant: number;
  readonly address: number;
}

export interface Seats {
  /**
   * Takes a seat for one stream or socket; gives what gives it back, however often that is called.
   *
   * @throws AppError `streams_full`, or `rate_limited` when it is this guest's own that are too many.
   */
  take(guest: Guest): () => void;
}

const SEATS: SeatLimits = {
  all: LIMITS.streamClientsMax,
  key: LIMITS.streamKeyMax,
  tenant: LIMITS.streamTenantMax,
  address: LIMITS.streamAddressMax,
};

/** Nobody gets all the seats: not one key, not one tenant, not one address. Synchronous. */
export function createSeats(limits: SeatLimits = SEATS): Seats {
  const taken = new Map<string, number>();
  let all = 0;

  return Object.freeze({
    take: ({ keyId, tenantId, address }: Guest) => {
      const counters = [
        { name: `key ${keyId}`, max: limits.key, whose: 'The key' },
        { name: `tenant ${tenantId}`, max: limits.tenant, whose: 'The tenant' },
        { name: `address ${addressGroup(address)}`, max: limits.address, whose: 'Your address' },
      ];
      const full = counters.find(({ name, max }) => (taken.get(name) ?? 0) >= max);
      if (full !== undefined) {
        const detail = `${full.whose} has ${full.max} streams and sockets open, as many as it may`;
        throw new AppError('rate_limited', detail);
      }
      if (all >= limits.all) throw new AppError('streams_full', `${all} clients are connected`);
      all += 1;
      for (const { name } of counters) taken.set(name, (taken.get(name) ?? 0) + 1);
      let isTaken = true;
      return () => {
        if (!isTaken) return;
        isTaken = false;
        all -= 1;
        for (const { name } of counters) {
          const left = (taken.get(name) ?? 0) - 1;
          if (left > 0) taken.set(name, left);
          else taken.delete(name);
        }
      };
    },
  } satisfies Seats);
}
