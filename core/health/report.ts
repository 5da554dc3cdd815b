import {
  ANALYSERS,
  type Analyser,
  CHECKS,
  type Finding,
  type Verdict,
  worstOf,
} from './finding.ts';
import { analyseDependencies } from './analyse-dependencies.ts';
import { analyseExecution } from './analyse-execution.ts';
import { analyseFlow } from './analyse-flow.ts';
import { analyseLiveness } from './analyse-liveness.ts';
import { analyseMoney } from './analyse-money.ts';
import type { HealthSample } from './samples.ts';

/** A finding as a report has it: where to read on, and since when it is so. */
export interface ReportedFinding extends Finding {
  readonly analyser: Analyser;
  readonly runbook: string;
}

export interface HealthReport {
  readonly verdict: Verdict;
  readonly at: Date;
  readonly tookMs: number;
  readonly analysers: Readonly<Record<Analyser, Verdict>>;
  readonly findings: readonly ReportedFinding[];
}

const ALL = [analyseMoney, analyseFlow, analyseExecution, analyseLiveness, analyseDependencies];

/** Pure: the same sample, the same verdict. */
export function reportOf(sample: HealthSample, tookMs: number): HealthReport {
  const findings = ALL.flatMap((analyse) => analyse(sample)).map((finding): ReportedFinding => {
    const { analyser, runbook } = CHECKS[finding.check];
    return { ...finding, analyser, runbook: `docs/runbooks/${runbook}.md` };
  });
  const ofAnalyser = (name: Analyser): Verdict =>
    worstOf(findings.filter(({ analyser }) => analyser === name).map(({ verdict }) => verdict));
  const analysers = Object.fromEntries(ANALYSERS.map((name) => [name, ofAnalyser(name)]));
  return {
    verdict: worstOf(findings.map(({ verdict }) => verdict)),
    at: sample.now,
    tookMs,
    analysers: analysers as Record<Analyser, Verdict>, // one of each: they are mapped
    findings,
  };
}

/** What is not well has been so since its data say so, else since it was first seen. */
export function createOnsets() {
  const onsets = new Map<string, { readonly verdict: Verdict; readonly at: Date }>();
  return (report: HealthReport): HealthReport => ({
    ...report,
    findings: report.findings.map((finding) => {
      const { check, verdict, since } = finding;
      if (verdict === 'ok') {
        onsets.delete(check);
        return finding;
      }
      const known = onsets.get(check);
      const onset = known?.verdict === verdict ? known : { verdict, at: since ?? report.at };
      onsets.set(check, onset);
      return { ...finding, since: since ?? onset.at };
    }),
  });
}
