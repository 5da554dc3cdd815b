import { loadavg } from 'node:os';

const EVERY_MS = 5_000;

/** How busy the machine is while a run goes on, with whatever else runs on it. */
export function watchMachineLoad(): { stop(): { readonly mean: number; readonly max: number } } {
  const seen = [lastMinute()];
  const timer = setInterval(() => seen.push(lastMinute()), EVERY_MS);
  return Object.freeze({
    stop: () => {
      clearInterval(timer);
      const sum = seen.reduce((total, one) => total + one, 0);
      return { mean: tenths(sum / seen.length), max: tenths(Math.max(...seen)) };
    },
  });
}

function lastMinute(): number {
  return loadavg()[0] ?? 0;
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
