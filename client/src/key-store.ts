import type { Clock } from './clock.ts';
import { SluiceError } from './errors.ts';
import { hexOf, uuidV7 } from './uuid.ts';

/**
 * Where the idempotency keys of writes under way are kept. A key is saved before its request is sent
 * and forgotten once the outcome is known; whoever makes the same call after a crash finds the key of
 * the first one, and nothing happens twice. One store for each tenant.
 */
export interface KeyStore {
  /** The key of the same request, when its outcome was never known. */
  load(fingerprint: string): string | undefined | Promise<string | undefined>;
  /** Durable once it returns: a failure keeps the request from being sent. */
  save(fingerprint: string, key: string): void | Promise<void>;
  forget(fingerprint: string): void | Promise<void>;
}

export const NO_KEY_STORE: KeyStore = Object.freeze({
  load: () => undefined,
  save: () => undefined,
  forget: () => undefined,
});

/** In memory: for tests, and for calls that are made again in the same process. */
export function createMemoryKeyStore(max = 10_000): KeyStore {
  const keys = new Map<string, string>();
  return Object.freeze({
    load: (fingerprint: string) => keys.get(fingerprint),
    save: (fingerprint: string, key: string) => {
      if (keys.size >= max) throw new Error(`More than ${max} writes have an unknown outcome`);
      keys.set(fingerprint, key);
    },
    forget: (fingerprint: string) => {
      keys.delete(fingerprint);
    },
  });
}

/** The key of one write, from before it is sent until its outcome is known. */
export interface KeyLease {
  readonly key: string;
  /** It was kept from an earlier call, which may have had its effect. */
  readonly isResumed: boolean;
  /** The outcome is known: the same call is a new write from now on. */
  settle(): Promise<void>;
  /** It is not: the same call sends the same key. */
  leave(): void;
}

export interface Keys {
  /**
   * @param request canonical text of what is asked for
   * @throws SluiceError `invalid_argument` for a key that cannot be one; whatever the store throws.
   */
  lease(request: string, explicit?: string): Promise<KeyLease>;
}

const PRINTABLE = /^[\x20-\x7e]{1,255}$/;

export function createKeys(deps: {
  readonly store: KeyStore;
  readonly clock: Pick<Clock, 'now'>;
  readonly onError: (error: unknown) => void;
}): Keys {
  const { store, clock, onError } = deps;
  const isStored = store !== NO_KEY_STORE;
  /** Two calls at once that ask for the same are two writes, as they are without a store. */
  const underWay = new Set<string>();

  const leaseStored = async (request: string): Promise<KeyLease> => {
    const fingerprint = freeFingerprint(await sha256(request), underWay);
    underWay.add(fingerprint);
    try {
      const known = await store.load(fingerprint);
      const key = known ?? uuidV7(clock.now());
      if (known === undefined) await store.save(fingerprint, key);
      return {
        key,
        isResumed: known !== undefined,
        settle: async () => {
          try {
            await store.forget(fingerprint);
          } catch (error) {
            onError(error);
          }
          underWay.delete(fingerprint);
        },
        leave: () => underWay.delete(fingerprint),
      };
    } catch (error) {
      underWay.delete(fingerprint);
      throw error;
    }
  };

  return Object.freeze({
    lease: async (request: string, explicit?: string) => {
      if (explicit === undefined && isStored) return leaseStored(request);
      const key = explicit ?? uuidV7(clock.now());
      if (!PRINTABLE.test(key)) {
        const text = 'idempotencyKey must be 1 to 255 printable ASCII characters';
        throw new SluiceError('invalid_argument', text);
      }
      return { key, isResumed: false, settle: async () => undefined, leave: () => undefined };
    },
  });
}

function freeFingerprint(hash: string, underWay: ReadonlySet<string>): string {
  let fingerprint = hash;
  for (let number = 2; underWay.has(fingerprint); number += 1) fingerprint = `${hash}.${number}`;
  return fingerprint;
}

async function sha256(text: string): Promise<string> {
  return hexOf(
    new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))),
  );
}
