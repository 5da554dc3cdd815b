import { signal } from '@preact/signals';
import { callText, callWhatever, problemOf } from './api.ts';
import { readMetrics, type Sample } from './pure/metrics.ts';
import { type Look, type Point, lookAt, pointBetween } from './pure/rates.ts';
import type { Autoscale, Problem, Readiness } from './types.ts';

const EVERY_MS = 2_000;
/** Ten minutes of it. */
const POINTS_MAX = 300;

/** What is known of a source right now, or why nothing is. */
export type Known<T> =
  | { readonly kind: 'unasked' }
  | { readonly kind: 'known'; readonly value: T }
  | { readonly kind: 'away'; readonly problem: Problem };

export interface Breaker {
  readonly name: string;
  readonly open: number;
}

const UNASKED = { kind: 'unasked' } as const;

/** Kept while other pages are looked at, so that the charts have a past. */
export const points = signal<readonly Point[]>([]);
export const metrics = signal<Known<Look>>(UNASKED);
export const breakers = signal<readonly Breaker[]>([]);
export const autoscale = signal<Known<Autoscale>>(UNASKED);
export const readiness = signal<Known<Readiness>>(UNASKED);

/** The backlog is counted every few seconds only. */
const LOOKS_MAX = 6;
let looks: readonly Look[] = [];

async function readPoint(): Promise<void> {
  try {
    const samples = readMetrics(await callText('/metrics'));
    const look = lookAt(samples, Date.now());
    const [last, earliest] = [looks.at(-1), looks[0]];
    if (last !== undefined) {
      points.value = [...points.value, pointBetween(last, look, earliest)].slice(-POINTS_MAX);
    }
    looks = [...looks, look].slice(-LOOKS_MAX);
    breakers.value = breakersIn(samples);
    metrics.value = { kind: 'known', value: look };
  } catch (error) {
    metrics.value = { kind: 'away', problem: problemOf(error) };
  }
}

function breakersIn(samples: readonly Sample[]): readonly Breaker[] {
  const names = ['sluice_breakers_open', 'sluice_payment_breaker_open'];
  return samples
    .filter(({ name }) => names.includes(name))
    .map(({ labels: { channel = 'payments', provider = '' }, value }) => ({
      name: `${channel} ${provider}`,
      open: value,
    }));
}

async function read<T extends object>(path: string): Promise<Known<T>> {
  try {
    const value = await callWhatever<T | Problem>(path);
    return isProblem(value) ? { kind: 'away', problem: value } : { kind: 'known', value };
  } catch (error) {
    return { kind: 'away', problem: problemOf(error) };
  }
}

function isProblem(value: object): value is Problem {
  return 'code' in value && 'detail' in value;
}

async function readAll(): Promise<void> {
  const [queues, ready] = await Promise.all([
    read<Autoscale>('/internal/autoscale'),
    read<Readiness>('/readyz'),
    readPoint(),
  ]);
  autoscale.value = queues;
  readiness.value = ready;
}

/** One round at a time, also when the API is slow; none while nobody looks. */
export function startLive(): void {
  let isReading = false;
  const round = (): void => {
    if (isReading || document.hidden) return;
    isReading = true;
    readAll().then(
      () => {
        isReading = false;
      },
      () => {
        isReading = false; // each source says by itself what is wrong
      },
    );
  };
  round();
  setInterval(round, EVERY_MS);
}
