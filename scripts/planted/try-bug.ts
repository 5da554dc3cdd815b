import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { PlantedBug } from '../../tests/planted/planted-bug.ts';
import { spawnSupervised } from '../dev/servers/processes.ts';
import type { Log } from '../dev/servers/report.ts';
import type { TreeCopy } from './copy.ts';

/** How long the tests of one file may take to notice. */
const NOTICE_MS_MAX = 600_000;
const STOP_MS_MAX = 10_000;

const reportSchema = z.looseObject({
  testResults: z.array(
    z.looseObject({
      status: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(
        z.looseObject({
          status: z.string(),
          fullName: z.string(),
          failureMessages: z.array(z.string()).default([]),
        }),
      ),
    }),
  ),
});

/** What one test file made of a planted bug. */
export interface Trial {
  readonly bug: PlantedBug;
  readonly testFile: string;
  readonly isFound: boolean;
  readonly seconds: number;
  /** The first test that went red and what it said, or why there was none. */
  readonly evidence: string;
}

interface TrialDeps {
  readonly copy: TreeCopy;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
}

/** Runs one test file in the copy as it stands. */
export async function runTrial(
  { copy, env, log }: TrialDeps,
  bug: PlantedBug,
  testFile: string,
): Promise<Trial> {
  const startedAt = performance.now();
  const report = join(copy.folder, 'planted-report.json');
  rmSync(report, { force: true });
  const vitest = spawnSupervised({
    name: 'vitest',
    command: process.execPath,
    args: [
      join('node_modules', 'vitest', 'vitest.mjs'),
      ...['run', testFile, '--bail=1', '--reporter=json', `--outputFile.json=${report}`],
    ],
    env,
    cwd: copy.folder,
    log,
    output: 'ignore',
  });
  const exit = await vitest.waitForExit(NOTICE_MS_MAX);
  await vitest.stop('SIGINT', STOP_MS_MAX);
  const seconds = (performance.now() - startedAt) / 1000;
  const verdict =
    exit === undefined
      ? { isFound: false, evidence: `nothing within ${String(NOTICE_MS_MAX / 1000)} s` }
      : readVerdict(report);
  return { bug, testFile, seconds, ...verdict };
}

/** Only a test that went red has found something: a run that broke off has not. */
function readVerdict(path: string): Pick<Trial, 'isFound' | 'evidence'> {
  let report: z.infer<typeof reportSchema>;
  try {
    report = reportSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    return { isFound: false, evidence: `no report: ${String(error).slice(0, 200)}` };
  }
  const red = report.testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .find(({ status }) => status === 'failed');
  if (red !== undefined) {
    const [line = ''] = (red.failureMessages[0] ?? '').split('\n');
    return { isFound: true, evidence: `${red.fullName}: ${line.slice(0, 160)}` };
  }
  const broken = report.testResults.find(({ status }) => status === 'failed');
  return {
    isFound: false,
    evidence:
      broken === undefined ? 'all green' : `not run: ${(broken.message ?? '').slice(0, 200)}`,
  };
}
