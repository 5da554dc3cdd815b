/** Counters and gauges of one `/metrics`, summed over their labels, and single series by name. */
export interface Scrape {
  readonly sums: ReadonlyMap<string, number>;
  readonly series: ReadonlyMap<string, number>;
}

const LINE = /^([a-zA-Z_:][\w:]*)(\{.*\})? ([^ ]+)( \d+)?$/;
const TIMEOUT_MS = 5_000;

function parseScrape(text: string): Scrape {
  const sums = new Map<string, number>();
  const series = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, name, labels = '', value] = LINE.exec(line) ?? [];
    const number = Number(value);
    if (name === undefined || Number.isNaN(number)) continue;
    sums.set(name, (sums.get(name) ?? 0) + number);
    series.set(`${name}${labels}`, number);
  }
  return { sums, series };
}

/** Undefined: nothing answers there. */
export async function scrape(url: string, signal: AbortSignal): Promise<Scrape | undefined> {
  try {
    const both = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const response = await fetch(`${url.replace(/\/+$/, '')}/metrics`, { signal: both });
    return response.ok ? parseScrape(await response.text()) : undefined;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/** Per second between two looks; a process that has begun anew counts from nothing. */
export function rateOf(
  name: string,
  [before, after]: readonly [Scrape | undefined, Scrape | undefined],
  seconds: number,
): number | undefined {
  const [old, now] = [before?.sums.get(name), after?.sums.get(name)];
  if (now === undefined || seconds <= 0 || before === undefined) return undefined;
  return Math.max(0, now >= (old ?? 0) ? now - (old ?? 0) : now) / seconds;
}
