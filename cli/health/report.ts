import { z } from 'zod';
import { type ApiClient, describeProblem } from '../api-client.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';

const verdict = z.enum(['ok', 'unknown', 'degraded', 'critical']);
export type CliVerdict = z.infer<typeof verdict>;

const reportSchema = z.object({
  verdict,
  at: z.string(),
  tookMs: z.number(),
  analysers: z.record(z.string(), verdict),
  findings: z.array(
    z.object({
      analyser: z.string(),
      check: z.string(),
      verdict,
      summary: z.string(),
      evidence: z.record(z.string(), z.union([z.string(), z.number()])),
      since: z.string().optional(),
      runbook: z.string(),
    }),
  ),
});
export type CliReport = z.infer<typeof reportSchema>;

/** What the API says of the platform's health. */
export async function readReport(client: ApiClient): Promise<CliReport> {
  const path = '/internal/health-report';
  const reply = await client.send({ method: 'GET', path });
  const parsed = reportSchema.safeParse(reply.body).data;
  if (reply.status === 200 && parsed !== undefined) return parsed;
  const said = describeProblem(reply.body);
  throw new CliError(`${path} answers ${String(reply.status)} ${said}`.trimEnd(), EXIT.gaveUp);
}

/** 0 well, 1 degraded or unknown, 2 critical. */
export function exitOf(report: Pick<CliReport, 'verdict'>): ExitCode {
  if (report.verdict === 'ok') return EXIT.ok;
  return report.verdict === 'critical' ? EXIT.usage : EXIT.failed;
}

const COLOURS = { ok: 32, unknown: 35, degraded: 33, critical: 31 } as const;

/** In the verdict's colour, on a terminal. */
export function painted(text: string, of: CliVerdict, hasColours: boolean): string {
  return hasColours ? `\u001b[${String(COLOURS[of])}m${text}\u001b[0m` : text;
}

interface Shown {
  readonly hasColours: boolean;
  /** Also what is well. */
  readonly isFull: boolean;
}

/** A line for the whole, a line for each analyser, and what is not well below it. */
export function reportLines(report: CliReport, { hasColours, isFull }: Shown): readonly string[] {
  const paint = (text: string, of: CliVerdict): string => painted(text, of, hasColours);
  const lines = [`${paint(report.verdict.toUpperCase(), report.verdict)}  ${report.at}`];
  for (const [analyser, of] of Object.entries(report.analysers)) {
    lines.push(`${paint('●', of)} ${analyser.padEnd(13)} ${paint(of, of)}`);
    const own = report.findings.filter((one) => one.analyser === analyser);
    for (const one of own.filter((finding) => isFull || finding.verdict !== 'ok')) {
      const since = one.since === undefined ? '' : `, since ${one.since}`;
      lines.push(`    ${paint(one.verdict.padEnd(8), one.verdict)} ${one.summary}${since}`);
      if (one.verdict !== 'ok') lines.push(`             ${one.runbook}`);
    }
  }
  return lines;
}
