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
  return { ...judged(findings), at: sample.now, tookMs };
}

/** Of several cells: of each check the worst that any of them has. */
export function mergedReport(reports: readonly HealthReport[]): HealthReport {
  const [first] = reports;
  if (first === undefined) return NO_CELL;
  if (reports.length === 1) return first;
  const worst = new Map<string, ReportedFinding>();
  for (const finding of reports.flatMap(({ findings }) => findings)) {
    const other = worst.get(finding.check);
    const isWorse =
      other === undefined || worstOf([other.verdict, finding.verdict]) !== other.verdict;
    if (isWorse) worst.set(finding.check, finding);
  }
  const cells = { cells: reports.length };
  const findings = [...worst.values()].map((one) => ({
    ...one,
    evidence: { ...one.evidence, ...cells },
  }));
  const tookMs = Math.max(...reports.map((one) => one.tookMs));
  return { ...judged(findings), at: first.at, tookMs };
}

/** Where no tenant has a cell yet. */
const NO_CELL: HealthReport = { ...judged([]), at: new Date(0), tookMs: 0 };

function judged(
  findings: readonly ReportedFinding[],
): Pick<HealthReport, 'verdict' | 'analysers' | 'findings'> {
  const ofAnalyser = (name: Analyser): Verdict =>
    worstOf(findings.filter(({ analyser }) => analyser === name).map(({ verdict }) => verdict));
  const analysers = Object.fromEntries(ANALYSERS.map((name) => [name, ofAnalyser(name)]));
  return {
    verdict: worstOf(findings.map(({ verdict }) => verdict)),
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
