import { ANALYSERS, type Evidence } from './finding.ts';
import type { HealthReport, ReportedFinding } from './report.ts';

/** As JSON has it. */
export function reportView({ verdict, at, tookMs, analysers, findings }: HealthReport) {
  return {
    verdict,
    at: at.toISOString(),
    tookMs,
    analysers,
    findings: findings.map(({ analyser, check, since, ...finding }) => ({
      analyser,
      check,
      verdict: finding.verdict,
      summary: finding.summary,
      evidence: finding.evidence,
      ...(since !== undefined && { since: since.toISOString() }),
      runbook: finding.runbook,
    })),
  };
}

/** For a chat or a ticket. */
export function reportMarkdown({ verdict, at, tookMs, findings }: HealthReport): string {
  const head = [`# Health: ${verdict}`, '', `${at.toISOString()}, read in ${tookMs} ms.`, ''];
  const sections = ANALYSERS.flatMap((name) => [
    `## ${name}`,
    '',
    '| Verdict | Check | What | Evidence | Since | Runbook |',
    '| --- | --- | --- | --- | --- | --- |',
    ...findings.filter(({ analyser }) => analyser === name).map(rowOf),
    '',
  ]);
  return `${[...head, ...sections].join('\n').trimEnd()}\n`;
}

function rowOf({ verdict, check, summary, evidence, since, runbook }: ReportedFinding): string {
  const cells = [verdict, check, summary, evidenceText(evidence), since?.toISOString() ?? ''];
  return `| ${[...cells.map(escaped), `[${check}](${runbook})`].join(' | ')} |`;
}

function evidenceText(evidence: Evidence): string {
  return Object.entries(evidence)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ');
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
