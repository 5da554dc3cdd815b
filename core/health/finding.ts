/** How bad it is, least first; `unknown`: nobody can say, which is not well either. */
export const VERDICTS = ['ok', 'unknown', 'degraded', 'critical'] as const;
export type Verdict = (typeof VERDICTS)[number];

export const ANALYSERS = ['money', 'flow', 'execution', 'liveness', 'dependencies'] as const;
export type Analyser = (typeof ANALYSERS)[number];

/** Every check, with the page that says what to do: a test holds the pages against this table. */
export const CHECKS = {
  'entries-balance': { analyser: 'money', runbook: 'money-drift' },
  'wallets-agree': { analyser: 'money', runbook: 'money-drift' },
  backlog: { analyser: 'flow', runbook: 'backlog' },
  'backlog-growth': { analyser: 'flow', runbook: 'backlog' },
  'oldest-wait': { analyser: 'flow', runbook: 'oldest-wait' },
  'tenant-backlog': { analyser: 'flow', runbook: 'tenant-backlog' },
  'needs-attention': { analyser: 'execution', runbook: 'needs-attention' },
  deliveries: { analyser: 'execution', runbook: 'deliveries-failing' },
  breakers: { analyser: 'execution', runbook: 'breaker-open' },
  retries: { analyser: 'execution', runbook: 'retries' },
  workers: { analyser: 'liveness', runbook: 'workers-gone' },
  lanes: { analyser: 'liveness', runbook: 'lanes-unowned' },
  recovery: { analyser: 'liveness', runbook: 'recovery-not-running' },
  'event-loop': { analyser: 'liveness', runbook: 'event-loop' },
  mongodb: { analyser: 'dependencies', runbook: 'mongodb-away' },
  replication: { analyser: 'dependencies', runbook: 'replication-lag' },
  pool: { analyser: 'dependencies', runbook: 'pool-waiters' },
  redis: { analyser: 'dependencies', runbook: 'redis-away' },
  'redis-memory': { analyser: 'dependencies', runbook: 'redis-memory' },
  'redis-policy': { analyser: 'dependencies', runbook: 'redis-policy' },
} as const satisfies Record<string, { readonly analyser: Analyser; readonly runbook: string }>;
export type Check = keyof typeof CHECKS;

export type Evidence = Readonly<Record<string, number | string>>;

export interface Finding {
  readonly check: Check;
  readonly verdict: Verdict;
  /** One sentence for a person. */
  readonly summary: string;
  readonly evidence: Evidence;
  /** Since when, where the data say so. */
  readonly since?: Date;
}

/** What a source has said; `undefined`: it did not answer, or what it said is too old. */
export type Seen<T> = T | undefined;

export function worstOf(verdicts: readonly Verdict[]): Verdict {
  const ranks = verdicts.map((verdict) => VERDICTS.indexOf(verdict));
  return VERDICTS[Math.max(0, ...ranks)] ?? 'unknown';
}

/** By two ceilings: `ok` below the first, `critical` from the second on. */
export function graded(value: number, degradedFrom: number, criticalFrom: number): Verdict {
  if (value >= criticalFrom) return 'critical';
  return value >= degradedFrom ? 'degraded' : 'ok';
}

/** Nobody can say: its source is away. */
export function unknownOf(check: Check, source: string): Finding {
  const summary = `Unknown: ${source} did not answer in time`;
  return { check, verdict: 'unknown', summary, evidence: { source } };
}
