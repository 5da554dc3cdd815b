import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createMetrics } from '../../../core/telemetry/metrics.ts';
import { describedMetrics, readRules } from '../../../scripts/docs/metrics-page.ts';
import { ROOT } from '../../support/tidy/tree.ts';

/** The metrics that an expression reads, or the place at which it is no PromQL. */
function metricsIn(expr: string): readonly string[] {
  const names: string[] = [];
  parser.parse(expr).iterate({
    enter: (node) => {
      if (node.type.isError) throw new Error(`no PromQL at ${String(node.from)}: ${expr}`);
      const isName = node.name === 'Identifier' && node.node.parent?.name === 'VectorSelector';
      if (isName) names.push(expr.slice(node.from, node.to));
    },
  });
  return names;
}

/** The labels that an expression groups by or matches. */
function labelsIn(expr: string): readonly string[] {
  const names: string[] = [];
  parser.parse(expr).iterate({
    enter: ({ name, from, to }) => {
      if (name === 'LabelName') names.push(expr.slice(from, to));
    },
  });
  return names;
}

/** Everything that a process exports, with what histograms are made of. */
function exported(): ReadonlySet<string> {
  const registry = new Registry();
  createMetrics(registry).collectProcessMetrics();
  const names = registry.getMetricsAsArray().map(({ name }) => name);
  const parts = describedMetrics()
    .filter(({ type }) => type === 'histogram')
    .flatMap(({ name }) => [`${name}_bucket`, `${name}_sum`, `${name}_count`]);
  return new Set([...names, ...parts, 'up']);
}

const dashboardSchema = z.looseObject({
  uid: z.string(),
  title: z.string(),
  panels: z.array(
    z.looseObject({
      title: z.string(),
      targets: z.array(z.looseObject({ expr: z.string(), legendFormat: z.string() })).min(1),
    }),
  ),
});

const FOLDER = join(ROOT, 'deploy/grafana');
const dashboards = readdirSync(FOLDER).map((file) =>
  dashboardSchema.parse(JSON.parse(readFileSync(join(FOLDER, file), 'utf8'))),
);
const rules = readRules().groups.flatMap((group) => group.rules);
const known = exported();
/** Added by Prometheus itself, or by the buckets of a histogram. */
const OF_PROMETHEUS = ['instance', 'job', 'le'];
const labels = new Set([
  ...describedMetrics().flatMap(({ labelNames }) => labelNames),
  ...OF_PROMETHEUS,
]);

describe('alert rules', () => {
  it.each(rules)('$alert reads metrics that there are, and leads to a page', (rule) => {
    const names = metricsIn(rule.expr);
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !known.has(name))).toEqual([]);
    expect(labelsIn(rule.expr).filter((name) => !labels.has(name))).toEqual([]);
    expect(rule.alert).toMatch(/^Sluice[A-Z]\w+$/);
    expect(rule.for).toMatch(/^\d+m$/);
    const page = join(ROOT, rule.annotations.runbook_url);
    expect(existsSync(page), page).toBe(true);
  });

  it('have names of their own', () => {
    const names = rules.map(({ alert }) => alert);
    expect(names).toEqual([...new Set(names)]);
  });

  it('and each page has the four parts that help at night', () => {
    const folder = join(ROOT, 'docs/runbooks');
    for (const file of readdirSync(folder)) {
      const parts = [...readFileSync(join(folder, file), 'utf8').matchAll(/^## (.+)$/gm)];
      expect(
        parts.map(([, name]) => name),
        file,
      ).toEqual(['What it means', 'How to see it', 'What to do', 'How to know that it is over']);
    }
  });

  it('a page names metrics that there are, and pages that are there', () => {
    const folder = join(ROOT, 'docs/runbooks');
    for (const file of readdirSync(folder)) {
      const text = readFileSync(join(folder, file), 'utf8');
      const metrics = [...text.matchAll(/\bsluice_\w+/g)].map(([name]) => name);
      expect(
        metrics.filter((name) => !known.has(name)),
        file,
      ).toEqual([]);
      const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => String(link));
      expect(
        links.filter((link) => !existsSync(join(folder, link))),
        file,
      ).toEqual([]);
    }
  });
});

describe('dashboards', () => {
  const panels = dashboards.flatMap(({ uid, panels: all }) =>
    all.map((panel) => ({ name: `${uid}: ${panel.title}`, ...panel })),
  );

  it.each(panels)('$name reads metrics that there are', ({ targets }) => {
    for (const { expr, legendFormat } of targets) {
      expect(metricsIn(expr).filter((name) => !known.has(name))).toEqual([]);
      const named = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => String(name));
      expect(labelsIn(expr)).toEqual(expect.arrayContaining(named));
    }
  });

  it('show every metric of ours that is not about a single request', () => {
    const read = new Set(
      dashboards
        .flatMap((one) => one.panels)
        .flatMap(({ targets }) => targets)
        .flatMap(({ expr }) => metricsIn(expr)),
    );
    const of = (name: string): boolean =>
      [name, `${name}_bucket`, `${name}_count`].some((one) => read.has(one));
    const unseen = describedMetrics()
      .map(({ name }) => name)
      .filter((name) => !of(name));
    expect(unseen.length).toBeLessThan(15);
  });
});

describe('the parser of these tests', () => {
  it('refuses what is no PromQL', () => {
    for (const expr of ['sum(', 'rate(x[5m)', 'a b', 'x{y=}']) {
      expect(() => metricsIn(expr), expr).toThrow('no PromQL');
    }
    expect(metricsIn('sum by (le) (rate(a_bucket{b="c"}[5m])) > on () d')).toEqual([
      'a_bucket',
      'd',
    ]);
  });
});
