import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { METRIC_LABELS } from '../../core/telemetry/metric-labels.ts';
import { createMetrics } from '../../core/telemetry/metrics.ts';
import { code, heading, table } from './markdown.ts';

const described = z.object({
  name: z.string(),
  help: z.string(),
  type: z.enum(['counter', 'gauge', 'histogram', 'summary']),
  labelNames: z.array(z.string()),
});
export type DescribedMetric = z.infer<typeof described>;

/** Every metric of ours, as the registry has it. */
export function describedMetrics(): readonly DescribedMetric[] {
  const { registry } = createMetrics();
  const all = z.array(described).parse(registry.getMetricsAsArray());
  return [...all].sort((a, b) => (a.name < b.name ? -1 : 1));
}

export const rulesSchema = z.object({
  groups: z.array(
    z.object({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string(),
          expr: z.string(),
          for: z.string(),
          labels: z.strictObject({ severity: z.enum(['warning', 'critical']) }),
          annotations: z.strictObject({
            summary: z.string(),
            description: z.string(),
            runbook_url: z.string(),
          }),
        }),
      ),
    }),
  ),
});

export function readRules(): z.infer<typeof rulesSchema> {
  const path = new URL('../../deploy/prometheus/alerts.yml', import.meta.url);
  return rulesSchema.parse(parse(readFileSync(path, 'utf8')));
}

function labelText(name: string): string {
  const values: string | readonly string[] | undefined = Reflect.get(METRIC_LABELS, name);
  if (values === undefined) throw new Error(`the label ${name} is not in METRIC_LABELS`);
  return typeof values === 'string' ? `each ${values}` : values.map(code).join(', ');
}

function unitOf({ name, type }: Pick<DescribedMetric, 'name' | 'type'>): string {
  const unit = /_(seconds|bytes)(_total)?$/.exec(name)?.[1];
  return unit ?? (type === 'counter' ? 'count' : 'number');
}

export function metricsPage(metrics: readonly DescribedMetric[]): string {
  const rules = readRules().groups.flatMap((group) => group.rules);
  const usedBy = (name: string): string =>
    rules
      .filter(({ expr }) => new RegExp(`\\b${name}(_bucket|_sum|_count)?\\b`).test(expr))
      .map(
        ({ alert, annotations }) =>
          `[${alert}](runbooks/${annotations.runbook_url.split('/').at(-1) ?? ''})`,
      )
      .join(', ');
  const rows = metrics.map((metric) => [
    code(metric.name),
    metric.type,
    unitOf(metric),
    metric.labelNames.map(code).join(', '),
    metric.help,
    usedBy(metric.name),
  ]);
  const names = [...new Set(metrics.flatMap(({ labelNames }) => labelNames))].sort();
  const intro =
    'What `/metrics` of API and workers shows, besides the usual numbers of a Node process\n' +
    '(`process_*`, `nodejs_*`). Requests by rate, errors and duration, resources by use, saturation\n' +
    'and errors. Base units; the values of every label are a closed set, so that no id can get in.\n' +
    'What is 0 or NaN until it is known is set by the API at every scrape. Alert rules:\n' +
    '`deploy/prometheus/alerts.yml`; dashboards: `deploy/grafana/`.';
  const columns = ['Name', 'Type', 'Unit', 'Labels', 'What', 'Alerts'];
  const labels = table(
    ['Label', 'Values'],
    names.map((name) => [code(name), labelText(name)]),
  );
  return `${heading('Metrics', intro)}\n${table(columns, rows)}\n## Labels\n\n${labels}`;
}
