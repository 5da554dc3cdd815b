import { type Clock, systemClock } from './clock.ts';
import { invalidArgument } from './errors.ts';
import { type KeyStore, NO_KEY_STORE } from './key-store.ts';
import { RETRY_DEFAULTS, type RetryOptions } from './retry.ts';

/** The part of `fetch` that is used; yours may add a proxy, an agent or a trace. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface ClientOptions {
  /** Where the API is, `https://pay.example.test`; a path before `/v1` is kept. */
  readonly baseUrl: string;
  /** `slk_…`, or a function that gives the current one. */
  readonly apiKey: string | (() => string | Promise<string>);
  readonly fetch?: Fetch;
  /** Of a whole call with all of its tries; 60 s, and what `wait` asks for comes on top. */
  readonly timeoutMs?: number;
  /** Of one try; 20 s, and what `wait` asks for comes on top. */
  readonly attemptTimeoutMs?: number;
  /** Tries after the first (4), or more about them. */
  readonly retries?: number | Partial<RetryOptions>;
  /** Keeps the keys of writes under way, so that a process that dies sends the same key again. */
  readonly keyStore?: KeyStore;
  /** Sent with every request, or made for each; shown in logs, timelines and errors. */
  readonly correlationId?: string | (() => string);
  /** Before our own in `User-Agent`; browsers keep theirs. */
  readonly userAgent?: string;
  /** An answer may be so large; 32 MiB. */
  readonly responseBytesMax?: number;
  /** Told when the key store fails where that cannot be said by the call: while forgetting a key. */
  readonly onKeyStoreError?: (error: unknown) => void;
  readonly clock?: Clock;
}

export interface Settings {
  readonly baseUrl: string;
  readonly apiKey: () => Promise<string>;
  readonly fetch: Fetch;
  readonly timeoutMs: number;
  readonly attemptTimeoutMs: number;
  readonly retry: RetryOptions;
  readonly keyStore: KeyStore;
  readonly correlationId: () => string | undefined;
  readonly userAgent: string | undefined;
  readonly responseBytesMax: number;
  readonly onKeyStoreError: (error: unknown) => void;
  readonly clock: Clock;
}

const VERSION = '0.1.0';
const TOKEN = /^[\x21-\x7e]+$/;
/** `setTimeout` fires at once beyond this. */
const TIMER_MS_MAX = 2_147_483_647;

/** @throws SluiceError `invalid_argument` for options that cannot be right. */
export function settingsOf(options: ClientOptions): Settings {
  const { apiKey, correlationId, retries, clock = systemClock } = options;
  const own = typeof retries === 'number' ? { retries } : retries;
  const retry = { ...RETRY_DEFAULTS, ...own };
  atLeast('retries', retry.retries, 0);
  return Object.freeze({
    baseUrl: baseUrlOf(options.baseUrl),
    apiKey: async () => checkedKey(typeof apiKey === 'function' ? await apiKey() : apiKey),
    // Called on its own: browsers refuse a `fetch` that is bound to anything but the window.
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    timeoutMs: timerOf('timeoutMs', options.timeoutMs ?? 60_000),
    attemptTimeoutMs: timerOf('attemptTimeoutMs', options.attemptTimeoutMs ?? 20_000),
    retry,
    keyStore: options.keyStore ?? NO_KEY_STORE,
    correlationId: () => (typeof correlationId === 'function' ? correlationId() : correlationId),
    userAgent: userAgentOf(options.userAgent),
    responseBytesMax: atLeast('responseBytesMax', options.responseBytesMax ?? 32 * 1_048_576, 1),
    onKeyStoreError: options.onKeyStoreError ?? (() => undefined), // nobody wants to know
    clock,
  });
}

function baseUrlOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw invalidArgument('baseUrl must be an address such as https://pay.example.test');
  }
  if (url.username !== '' || url.search !== '' || url.hash !== '') {
    throw invalidArgument('baseUrl must have no user, query or fragment: the key goes into apiKey');
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

function checkedKey(key: unknown): string {
  if (typeof key === 'string' && TOKEN.test(key)) return key;
  throw invalidArgument('apiKey must be the text of a key, slk_…');
}

export function timerOf(name: string, ms: number): number {
  return Math.min(atLeast(name, ms, 1), TIMER_MS_MAX);
}

function atLeast(name: string, value: number, min: number): number {
  if (value >= min) return value; // NaN is not
  throw invalidArgument(`${name} must be a number from ${min}`);
}

/** Pages may not set it: it would ask for a preflight, or be ignored. */
function userAgentOf(own: string | undefined): string | undefined {
  if ('document' in globalThis) return undefined;
  return `${own === undefined ? '' : `${own} `}sluice-client/${VERSION}`;
}
