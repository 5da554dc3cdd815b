import type { Metrics } from '../core/telemetry/metrics.ts';

type LabelledGauge = Metrics['eventLoopLag' | 'mongoPool'];

/** What a gauge of this process stands at, by one of its labels. */
export async function readGauge(
  gauge: LabelledGauge,
  label: string,
): Promise<ReadonlyMap<string, number>> {
  const { values } = await gauge.get();
  return new Map(
    values.map(({ labels, value }) => [String(Reflect.get(labels, label)), value] as const),
  );
}
