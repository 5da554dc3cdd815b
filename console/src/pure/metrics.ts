/** One line of the Prometheus text format. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? ([^ ]+)(?: \d+)?$/;
const LABEL = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const ESCAPED: Readonly<Record<string, string>> = { n: '\n', '\\': '\\', '"': '"' };

/** What is no sample (comments, other formats) is left out. */
export function readMetrics(text: string): readonly Sample[] {
  return text.split('\n').flatMap((line) => {
    const [, name, labels = '', value = ''] = LINE.exec(line) ?? [];
    if (name === undefined) return [];
    return [{ name, labels: readLabels(labels), value: numberOf(value) }];
  });
}

function readLabels(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...text.matchAll(LABEL)].map(([, name = '', value = '']) => [
      name,
      value.replaceAll(/\\(.)/g, (_all, one: string) => ESCAPED[one] ?? one),
    ]),
  );
}

function numberOf(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  return text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text);
}

/** Undefined where there is no such metric: that is not the same as none of it. */
export function sumOf(
  samples: readonly Sample[],
  name: string,
  isMeant: (labels: Sample['labels']) => boolean = () => true,
): number | undefined {
  const found = samples.filter((one) => one.name === name && isMeant(one.labels));
  return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
}

/** How many were at most so long, by the bound of each bucket. */
export type Buckets = ReadonlyMap<number, number>;

export function bucketsOf(
  samples: readonly Sample[],
  name: string,
  isMeant: (labels: Sample['labels']) => boolean = () => true,
): Buckets {
  const buckets = new Map<number, number>();
  for (const { name: found, labels, value } of samples) {
    if (found !== `${name}_bucket` || !isMeant(labels)) continue;
    const bound = numberOf(labels['le'] ?? '');
    buckets.set(bound, (buckets.get(bound) ?? 0) + value);
  }
  return buckets;
}

/**
 * The quantile of what came between two looks, within its bucket as if evenly spread; undefined
 * when nothing came. Beyond the last bound it is that bound.
 */
export function quantileBetween(before: Buckets, after: Buckets, q: number): number | undefined {
  const came = [...after]
    .sort(([a], [b]) => a - b)
    .map(([bound, count]) => ({ bound, count: Math.max(0, count - (before.get(bound) ?? 0)) }));
  const total = came.at(-1)?.count ?? 0;
  if (total === 0) return undefined;
  const rank = q * total;
  const index = came.findIndex(({ count }) => count >= rank);
  const found = came[index];
  const lower = came[index - 1] ?? { bound: 0, count: 0 };
  if (found === undefined || !Number.isFinite(found.bound)) return lower.bound;
  const share = (rank - lower.count) / Math.max(1, found.count - lower.count);
  return lower.bound + (found.bound - lower.bound) * share;
}
