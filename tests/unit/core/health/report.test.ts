import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CHECKS, type Check, VERDICTS, worstOf } from '../../../../core/health/finding.ts';
import { reportMarkdown, reportView } from '../../../../core/health/render.ts';
import { createOnsets, reportOf } from '../../../../core/health/report.ts';
import type { HealthSample } from '../../../../core/health/samples.ts';
import { ROOT } from '../../../support/tidy/tree.ts';

const NOW = new Date('2026-01-01T12:00:00Z');
const ago = (seconds: number): Date => new Date(NOW.getTime() - seconds * 1_000);

const WELL = {
  now: NOW,
  money: { entries: 10, operations: 5, unbalanced: [], wallets: 4, disagreeing: [] },
  flow: {
    backlog: 2_000,
    backlogMax: 500_000,
    oldestAt: ago(1),
    tenants: 2,
    largestTenantBacklog: 9,
  },
  execution: {
    ...{ needsAttention: 0, retrying: 0, deliveriesRetrying: 0, deliveriesBehindBreakers: 0 },
    ...{ deliveriesEnded: 100, deliveriesFailed: 1 },
  },
  breakers: [{ provider: 'http', state: 'closed' }],
  liveness: {
    ...{ workers: 2, settlementWorkers: 2, lanes: 8, unowned: [], sweepLeaseMs: 15_000 },
    sweepUntil: new Date(NOW.getTime() + 10_000),
  },
  mongo: { isPrimary: true, tookMs: 1, setName: 'rs0', members: 3, lagMs: 0 },
  redis: {
    ...{ role: 'master', tookMs: 1, policy: 'noeviction', hasAof: true },
    ...{ usedBytes: 1, maxBytes: 100 },
  },
  process: {
    loopP99Seconds: 0.02,
    loopMaxSeconds: 0.03,
    poolWaiters: 0,
    poolInUse: 1,
    poolSize: 5,
  },
} as const satisfies HealthSample;

const verdictOf = (sample: HealthSample, check: Check) =>
  reportOf(sample, 1).findings.find((finding) => finding.check === check);

type Row = readonly [Check, string, Partial<HealthSample>, string];
const money = (more: object) => ({ money: { ...WELL.money, ...more } });
const flow = (more: object) => ({ flow: { ...WELL.flow, ...more } });
const execution = (more: object) => ({ execution: { ...WELL.execution, ...more } });
const liveness = (more: object) => ({ liveness: { ...WELL.liveness, ...more } });
const mongo = (more: object) => ({ mongo: { ...WELL.mongo, ...more } });
const redis = (more: object) => ({ redis: { ...WELL.redis, ...more } });
const own = (more: object) => ({ process: { ...WELL.process, ...more } });

const ROWS: readonly Row[] = [
  [
    'entries-balance',
    'one cent that came from nowhere',
    money({ unbalanced: ['op_1'] }),
    'critical',
  ],
  [
    'wallets-agree',
    'a wallet that says another balance',
    money({ disagreeing: ['w'] }),
    'critical',
  ],
  ['backlog', 'half full', flow({ backlog: 250_000 }), 'degraded'],
  ['backlog', 'nearly full', flow({ backlog: 450_000 }), 'critical'],
  [
    'backlog-growth',
    'more comes than goes',
    flow({ earlier: { backlog: 1_000, at: ago(60) } }),
    'degraded',
  ],
  ['backlog-growth', 'as much goes', flow({ earlier: { backlog: 2_000, at: ago(60) } }), 'ok'],
  ['backlog-growth', 'for a moment only', flow({ earlier: { backlog: 1_000, at: ago(20) } }), 'ok'],
  ['oldest-wait', 'slow', flow({ oldestAt: ago(45) }), 'degraded'],
  ['oldest-wait', 'stuck', flow({ oldestAt: ago(300) }), 'critical'],
  [
    'oldest-wait',
    'nothing waits',
    { flow: { backlog: 0, backlogMax: 1, tenants: 0, largestTenantBacklog: 0 } },
    'ok',
  ],
  ['tenant-backlog', 'a flood', flow({ largestTenantBacklog: 100_000 }), 'degraded'],
  ['needs-attention', 'one', execution({ needsAttention: 1 }), 'degraded'],
  ['needs-attention', 'many', execution({ needsAttention: 100 }), 'critical'],
  ['deliveries', 'a tenth fails', execution({ deliveriesFailed: 10 }), 'degraded'],
  ['deliveries', 'half fails', execution({ deliveriesFailed: 50 }), 'critical'],
  ['deliveries', 'too few to say', execution({ deliveriesEnded: 2, deliveriesFailed: 2 }), 'ok'],
  ['retries', 'many', execution({ retrying: 600, deliveriesRetrying: 400 }), 'degraded'],
  ['breakers', 'an open one', { breakers: [{ provider: 'http', state: 'open' }] }, 'degraded'],
  ['breakers', 'deliveries behind one', execution({ deliveriesBehindBreakers: 1 }), 'degraded'],
  ['breakers', 'Redis is away', { breakers: undefined }, 'unknown'],
  ['workers', 'none', liveness({ settlementWorkers: 0 }), 'critical'],
  ['lanes', 'one without an owner', liveness({ unowned: [3] }), 'degraded'],
  ['lanes', 'all without', liveness({ unowned: [0, 1, 2, 3, 4, 5, 6, 7] }), 'critical'],
  ['recovery', 'late', liveness({ sweepUntil: ago(15) }), 'degraded'],
  ['recovery', 'long gone', liveness({ sweepUntil: ago(105) }), 'critical'],
  ['recovery', 'never there', liveness({ sweepUntil: undefined }), 'critical'],
  ['event-loop', 'slow', own({ loopP99Seconds: 0.25 }), 'degraded'],
  ['event-loop', 'blocked', own({ loopP99Seconds: 1 }), 'critical'],
  ['mongodb', 'away', { mongo: undefined }, 'critical'],
  ['mongodb', 'no primary', mongo({ isPrimary: false }), 'critical'],
  ['mongodb', 'no replica set', mongo({ setName: '' }), 'critical'],
  ['replication', 'behind', mongo({ lagMs: 10_000 }), 'degraded'],
  ['replication', 'far behind', mongo({ lagMs: 60_000 }), 'critical'],
  ['replication', 'away', { mongo: undefined }, 'unknown'],
  ['pool', 'waiters', own({ poolWaiters: 10 }), 'degraded'],
  ['pool', 'a crowd', own({ poolWaiters: 100 }), 'critical'],
  ['redis', 'away', { redis: undefined }, 'critical'],
  ['redis', 'a replica', redis({ role: 'slave' }), 'critical'],
  ['redis-memory', 'three quarters', redis({ usedBytes: 75 }), 'degraded'],
  ['redis-memory', 'nearly full', redis({ usedBytes: 90 }), 'critical'],
  ['redis-memory', 'no ceiling', redis({ maxBytes: 0 }), 'ok'],
  ['redis-policy', 'evicts', redis({ policy: 'allkeys-lru' }), 'critical'],
];

describe('a health report', () => {
  it('of a platform that is well finds nothing', () => {
    const { verdict, findings } = reportOf(WELL, 1);
    expect(findings.filter((finding) => finding.verdict !== 'ok')).toEqual([]);
    expect(verdict).toBe('ok');
    expect(findings.map(({ check }) => check).sort()).toEqual(Object.keys(CHECKS).sort());
  });

  it.each(ROWS)('%s: %s', (check, _name, change, verdict) => {
    expect(verdictOf({ ...WELL, ...change }, check)?.verdict).toBe(verdict);
  });

  it('of a platform whose sources are all away says what nobody knows, and is critical', () => {
    const nothing = {
      money: undefined,
      flow: undefined,
      execution: undefined,
      breakers: undefined,
    };
    const away = { ...nothing, liveness: undefined, mongo: undefined, redis: undefined };
    const { verdict, analysers, findings } = reportOf({ ...WELL, ...away }, 1);
    expect(verdict).toBe('critical');
    expect(analysers).toMatchObject({ money: 'unknown', flow: 'unknown', execution: 'unknown' });
    expect(findings.map(({ check }) => check).sort()).toEqual(Object.keys(CHECKS).sort());
  });

  it('is as bad as its worst finding', () => {
    for (const verdict of VERDICTS) {
      const upTo = VERDICTS.slice(0, VERDICTS.indexOf(verdict) + 1);
      expect(worstOf([...upTo].reverse())).toBe(verdict);
    }
    expect(worstOf([])).toBe('ok');
  });

  it('names a runbook that is there', () => {
    const pages = new Set(readdirSync(`${ROOT}/docs/runbooks`));
    const missing = Object.values(CHECKS).filter(({ runbook }) => !pages.has(`${runbook}.md`));
    expect(missing).toEqual([]);
  });

  it('remembers since when it is so, until it is well again', () => {
    const onsets = createOnsets();
    const open = { ...WELL, ...redis({ policy: 'allkeys-lru' }) };
    const sinceOf = (sample: HealthSample) =>
      onsets(reportOf(sample, 1)).findings.find(({ check }) => check === 'redis-policy')?.since;
    expect(sinceOf(open)).toEqual(NOW);
    expect(sinceOf({ ...open, now: new Date(NOW.getTime() + 5_000) })).toEqual(NOW);
    expect(sinceOf(WELL)).toBeUndefined();
    const later = new Date(NOW.getTime() + 9_000);
    expect(sinceOf({ ...open, now: later })).toEqual(later);
  });

  it('reads as JSON and as Markdown', () => {
    const report = reportOf({ ...WELL, ...flow({ oldestAt: ago(300) }) }, 7);
    expect(JSON.parse(JSON.stringify(reportView(report)))).toMatchObject({
      verdict: 'critical',
      at: NOW.toISOString(),
      tookMs: 7,
      analysers: { flow: 'critical', money: 'ok' },
    });
    const text = reportMarkdown(report);
    expect(text).toContain('# Health: critical');
    expect(text).toContain(
      '| critical | oldest-wait | The oldest operation in a lane has waited for 300 s | seconds=300 | 2026-01-01T11:55:00.000Z | [oldest-wait](docs/runbooks/oldest-wait.md) |',
    );
  });
});
