import type { Area } from './faults.ts';
import type { Verdict } from './webhooks.ts';

/** One request, read to its end. */
export interface Call {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the list of received messages shows of it. */
  readonly shown?: unknown;
}

/** One request that was answered in its provider's way (`status` says how), or in a wrong one. */
export interface Received {
  readonly number: number;
  readonly at: string;
  readonly area: Area;
  readonly path: string;
  readonly status: number;
  readonly fault?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Of a webhook: what the receiver makes of its signature. */
  readonly verdict?: Verdict;
  /** Parsed, and decrypted where it was encrypted. */
  readonly content?: unknown;
}

/** Their JSON, or undefined when it is none. */
export function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
