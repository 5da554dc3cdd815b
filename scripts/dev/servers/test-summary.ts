import { relative } from 'node:path';
import { z } from 'zod';
import { formatSeconds } from './report.ts';

const resultsSchema = z.looseObject({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  numPendingTests: z.int(),
  numTodoTests: z.int(),
  testResults: z.array(
    z.looseObject({
      name: z.string().default(''),
      status: z.string(),
      startTime: z.number().default(0),
      endTime: z.number().default(0),
      assertionResults: z.array(z.unknown()),
    }),
  ),
});

const NOTHING: z.infer<typeof resultsSchema> = {
  numPassedTests: 0,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [],
};

export type TestSummary = {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
};

/**
 * Counts what vitest's JSON report says. A run that failed never counts as zero failures: a file that
 * could not be loaded has no failed test in it, and a run that broke off has no report at all.
 */
export function summarise(report: string | undefined, exitCode: number): TestSummary {
  const results = parseReport(report) ?? NOTHING;
  const brokenFiles = results.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  );
  const failed = results.numFailedTests + brokenFiles.length;
  return {
    passed: results.numPassedTests,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: results.numPendingTests + results.numTodoTests,
  };
}

/** Where the time of a run goes; nothing for a run of so few files that nobody waits for it. */
export function describeSlowest(
  report: string | undefined,
  { root, count }: { readonly root: string; readonly count: number },
): string | undefined {
  const files = (parseReport(report) ?? NOTHING).testResults;
  if (files.length <= count) return undefined;
  const timed = files.map(({ name, startTime, endTime }) => ({ name, ms: endTime - startTime }));
  const slowest = timed.toSorted((a, b) => b.ms - a.ms).slice(0, count);
  const lines = slowest.map(
    ({ name, ms }) => `  ${formatSeconds(ms).padStart(8)}  ${relative(root, name)}`,
  );
  return [`• the ${String(count)} slowest of ${String(files.length)} files`, ...lines].join('\n');
}

function parseReport(report: string | undefined): z.infer<typeof resultsSchema> | undefined {
  if (report === undefined) return undefined;
  try {
    return resultsSchema.safeParse(JSON.parse(report)).data;
  } catch {
    return undefined;
  }
}

export function formatSummary({ passed, failed, skipped }: TestSummary): string {
  const counts = `${String(passed)} passed, ${String(failed)} failed`;
  return skipped === 0 ? counts : `${counts}, ${String(skipped)} skipped`;
}
