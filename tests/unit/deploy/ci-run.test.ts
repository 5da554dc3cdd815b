import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/** .ci/run in a tree of its own, with an `npm` that does what the case says. */
const SCRIPT = resolve(import.meta.dirname, '../../../.ci/run');

interface Case {
  /** What the search for a Node prints, in JavaScript. */
  readonly node?: string;
  readonly install?: string;
  readonly verify?: string;
  readonly bench?: string;
  readonly test?: string;
}

interface Outcome {
  readonly code: number;
  readonly lastLine: string;
  readonly output: string;
}

async function plant(tree: string, steps: Case): Promise<void> {
  const { node = 'console.log()', install = 'true', verify = 'echo "8 passed, 0 failed"' } = steps;
  const { bench = 'echo "0 passed, 0 failed"', test = 'echo "100 passed, 0 failed"' } = steps;
  for (const folder of ['.ci', 'bin', 'scripts']) await mkdir(join(tree, folder));
  await copyFile(SCRIPT, join(tree, '.ci/run'));
  await writeFile(join(tree, 'scripts/ci-install.sh'), 'echo "no browser"; exit 1\n');
  await writeFile(join(tree, 'scripts/node-folder.mjs'), node);
  const body =
    `case "$1 $3" in\n"ci ") ${install} ;;\n"run verify") ${verify} ;;\n` +
    `"run bench") ${bench} ;;\n"test ") ${test} ;;\nesac\n`;
  await writeFile(join(tree, 'bin/npm'), `#!/usr/bin/env bash\n${body}`);
  await chmod(join(tree, 'bin/npm'), 0o755);
}

async function ci(steps: Case): Promise<Outcome> {
  const tree = await mkdtemp(join(tmpdir(), 'ci-run-'));
  await plant(tree, steps);
  const path = `${join(tree, 'bin')}:${process.env['PATH'] ?? ''}`;
  const env = { ...process.env, PATH: path, SLUICE_CI_GRACE_SECONDS: '1' };
  const outcome = await new Promise<Outcome>((settle) => {
    execFile(join(tree, '.ci/run'), { env, cwd: tmpdir() }, (error, output) => {
      const code = typeof error?.code === 'number' ? error.code : 0;
      settle({ code, lastLine: output.trimEnd().split('\n').at(-1) ?? '', output });
    });
  });
  await rm(tree, { recursive: true });
  return outcome;
}

// It finds what the tests left running in /proc. Concurrent, since it mostly waits.
describe.skipIf(process.platform !== 'linux').concurrent('.ci/run', { timeout: 30_000 }, () => {
  it('adds up the static checks, the tests and its own check for leftovers', async () => {
    expect(await ci({})).toMatchObject({ code: 0, lastLine: '109 passed, 0 failed' });
  });

  it('fails when tests fail, and still says how many passed and were skipped', async () => {
    const test = String.raw`printf '\033[31m5 passed, 2 failed, 1 skipped\033[0m\n'; exit 1`;
    expect(await ci({ test })).toMatchObject({
      code: 1,
      lastLine: '14 passed, 2 failed, 1 skipped',
    });
  });

  it('runs the tests also when a static check failed', async () => {
    const verify = 'echo "7 passed, 1 failed"; exit 1';
    expect(await ci({ verify })).toMatchObject({ code: 1, lastLine: '108 passed, 1 failed' });
  });

  it('fails when a shape of load falls below its floor', async () => {
    const bench = 'echo "3 passed, 1 failed"; exit 1';
    expect(await ci({ bench })).toMatchObject({ code: 1, lastLine: '112 passed, 1 failed' });
  });

  it('does not take silence for success', async () => {
    expect(await ci({ test: 'true' })).toMatchObject({ code: 1, lastLine: '9 passed, 1 failed' });
  });

  it('does not take a count for success when the exit code says otherwise', async () => {
    const test = 'echo "5 passed, 0 failed"; exit 7';
    expect(await ci({ test })).toMatchObject({ code: 1, lastLine: '14 passed, 1 failed' });
  });

  it('installs and runs everything by the Node that was found', async () => {
    const node = "console.log('/found/by/the/bootstrap')";
    const outcome = await ci({ node, install: 'echo "PATH is $PATH"' });
    expect(outcome).toMatchObject({ code: 0, lastLine: '109 passed, 0 failed' });
    expect(outcome.output).toContain('PATH is /found/by/the/bootstrap:');
  });

  it('stops where no Node that is new enough can be had', async () => {
    const outcome = await ci({ node: 'process.exit(1)', install: 'echo reached' });
    expect(outcome).toMatchObject({ code: 1, lastLine: '0 passed, 1 failed' });
    expect(outcome.output).not.toContain('reached');
  });

  it('stops at a failed installation', async () => {
    const outcome = await ci({ install: 'exit 1', test: 'echo reached' });
    expect(outcome).toMatchObject({ code: 1, lastLine: '0 passed, 1 failed' });
    expect(outcome.output).not.toContain('reached');
  });

  it('gives its steps no terminal and says that this is CI', async () => {
    const test = 'echo "CI=$CI"; cat; echo "1 passed, 0 failed"';
    const outcome = await ci({ test });
    expect(outcome.output).toContain('CI=true\n1 passed');
  });

  it('stops what the tests left running, even detached, and counts it as a failure', async () => {
    const detached = 'setsid sleep 300 & echo "detached $!"';
    const outcome = await ci({ test: `${detached}; echo "5 passed, 0 failed"` });
    expect(outcome).toMatchObject({ code: 1, lastLine: '13 passed, 1 failed' });
    const pid = /^detached (\d+)$/m.exec(outcome.output)?.[1] ?? '?';
    expect(outcome.output).toContain(`  ${pid} sleep 300`);
    // Gone, or dead and not yet collected by its new parent.
    const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'gone');
    expect(state).toMatch(/^gone$|\) Z /);
  });
});
