import { describe, expect, it } from 'vitest';
import { METRIC_LABELS } from '../../../../core/telemetry/metric-labels.ts';
import { describedMetrics } from '../../../../scripts/docs/metrics-page.ts';

const metrics = describedMetrics();

/** https://prometheus.io/docs/practices/naming, as far as a name shows it. */
describe('names of metrics', () => {
  it.each(metrics)('$name', ({ name, type, help, labelNames }) => {
    expect(name).toMatch(/^sluice_[a-z]+(_[a-z0-9]+)*$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    expect(name).not.toMatch(/_(counter|gauge|histogram|metric|count|sum|bucket|info)(_|$)/);
    expect(name).not.toMatch(/_(ms|millis|milliseconds|minutes|hours|kb|mb|percent)(_|$)/);
    expect(help).toMatch(/^[A-Z0-9].*[^.]$/);
    for (const label of labelNames) {
      expect(label).toMatch(/^[a-z][a-z_]*$/);
      expect(name.split('_')).not.toContain(label === 'status' ? '' : `by_${label}`);
      expect(Object.keys(METRIC_LABELS)).toContain(label);
      expect(['le', 'quantile', 'job', 'instance'].includes(label)).toBe(label === 'quantile');
    }
  });

  it('label nothing that could be an id', () => {
    const ids = /^(id|user|tenant|wallet|operation|delivery|key|correlation)/;
    const labels = new Set(metrics.flatMap(({ labelNames }) => labelNames));
    expect([...labels].filter((label) => ids.test(label))).toEqual([]);
    expect(Object.keys(METRIC_LABELS).filter((label) => !labels.has(label))).toEqual([]);
  });
});
