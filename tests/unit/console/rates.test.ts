import { describe, expect, it } from 'vitest';
import {
  bucketsOf,
  quantileBetween,
  readMetrics,
  sumOf,
} from '../../../console/src/pure/metrics.ts';
import { lookAt, pointBetween } from '../../../console/src/pure/rates.ts';
import { createMetrics } from '../../../core/telemetry/metrics.ts';

async function lookOf(metrics: ReturnType<typeof createMetrics>, atMs: number) {
  return lookAt(readMetrics(await metrics.registry.metrics()), atMs);
}

describe('metrics as they are exported', () => {
  it('are read with their labels, also odd ones', () => {
    const text = [
      '# HELP a_total What it says',
      'a_total 3',
      'b{le="+Inf",path="/a\\\\b",say="\\"hi\\"\\n"} 1.5e3',
      'b{le="0.5"} NaN 1700000000',
      'not a sample',
    ].join('\n');
    expect(readMetrics(text)).toEqual([
      { name: 'a_total', labels: {}, value: 3 },
      { name: 'b', labels: { le: '+Inf', path: '/a\\b', say: '"hi"\n' }, value: 1_500 },
      { name: 'b', labels: { le: '0.5' }, value: Number.NaN },
    ]);
  });

  it('tell nothing from none', () => {
    const samples = readMetrics('a{x="1"} 2\na{x="2"} 3');
    expect(sumOf(samples, 'a')).toBe(5);
    expect(sumOf(samples, 'a', ({ x }) => x === '2')).toBe(3);
    expect(sumOf(samples, 'b')).toBeUndefined();
  });

  it('have quantiles of what came between two looks only', async () => {
    const metrics = createMetrics();
    const read = async () =>
      bucketsOf(readMetrics(await metrics.registry.metrics()), 'sluice_settle_latency_seconds');
    for (let one = 0; one < 100; one += 1) metrics.settleLatency.observe(20);
    const before = await read();
    expect(quantileBetween(before, before, 0.5)).toBeUndefined();
    for (let one = 0; one < 99; one += 1) metrics.settleLatency.observe(0.03);
    metrics.settleLatency.observe(1_000);
    const after = await read();
    expect(quantileBetween(before, after, 0.5)).toBeGreaterThan(0.025);
    expect(quantileBetween(before, after, 0.5)).toBeLessThanOrEqual(0.05);
    expect(quantileBetween(before, after, 0.999)).toBe(300); // the last bound there is
  });
});

describe('points of the charts', () => {
  it('are rates of counters', async () => {
    const metrics = createMetrics();
    const before = await lookOf(metrics, 0);
    metrics.accepted.inc({ type: 'transfer' }, 30);
    metrics.accepted.inc({ type: 'deposit' }, 10);
    metrics.settled.inc({ type: 'transfer', status: 'succeeded' }, 20);
    metrics.refused.inc({ code: 'not_found' }, 2);
    metrics.backlog.set(18);
    metrics.operationsByStatus.set({ status: 'waiting' }, 2);
    metrics.operationsByStatus.set({ status: 'needs_attention' }, 3);
    const after = await lookOf(metrics, 2_000);
    expect(after.needsAttention).toBe(3);
    // Settled is first seen now: from what it was before, nobody knows.
    expect(pointBetween(before, after)).toMatchObject({ accepted: 20, refused: 1, open: 20 });
    metrics.settled.inc({ type: 'transfer', status: 'succeeded' }, 8);
    expect(pointBetween(after, await lookOf(metrics, 4_000))).toMatchObject({ settled: 4 });
  });

  it('derive what workers elsewhere have settled from what is open', () => {
    const look = {
      refused: 0,
      needsAttention: 0,
      writeBuckets: new Map(),
      settleBuckets: new Map(),
    };
    const before = { ...look, atMs: 0, accepted: 100, settled: undefined, open: 50 };
    const after = { ...look, atMs: 2_000, accepted: 120, settled: undefined, open: 40 };
    expect(pointBetween(before, after)).toMatchObject({ accepted: 10, settled: 15, open: 40 });
  });

  it('are gaps where another process has answered', () => {
    const look = {
      refused: 0,
      needsAttention: 0,
      writeBuckets: new Map(),
      settleBuckets: new Map(),
    };
    const before = { ...look, atMs: 0, accepted: 100, settled: 100, open: 0 };
    const after = { ...look, atMs: 2_000, accepted: 3, settled: 1, open: 0 };
    expect(pointBetween(before, after)).toMatchObject({ accepted: null, settled: null, p50: null });
  });
});
