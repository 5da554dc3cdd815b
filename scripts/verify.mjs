/**
 * Everything that can be checked without a database, two steps at a time, all failures at once.
 * `npm run verify` before each commit; CI runs it with `--static`, which leaves the unit tests to
 * `npm test` so that they do not run twice. The last line is `N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { prepare } from './bootstrap.mjs';

// Once here, and not in two steps at a time.
await prepare();

/** Longest first, so that the two lanes end together. Each name is a script of package.json. */
const STEPS = [
  { name: 'lint', hint: 'npm run lint -- --fix mends some of it' },
  { name: 'test:unit', hint: 'npx vitest tests/unit to watch them', isStatic: false },
  { name: 'types', hint: '' },
  { name: 'build', hint: 'what the types allow may still not fit tsconfig.build.json' },
  { name: 'client:build', hint: 'it must compile without the types of any one runtime' },
  { name: 'format:check', hint: 'npm run format mends it' },
  { name: 'boundaries', hint: 'the rules and their reasons are in .dependency-cruiser.cjs' },
  { name: 'knip', hint: 'delete what nothing uses, or wire it in' },
  { name: 'docs:check', hint: 'npm run docs writes the generated pages anew' },
];
const LANES = Math.min(2, availableParallelism());
const STEP_MINUTES_MAX = 10;

const root = resolve(import.meta.dirname, '..');
const seconds = (sinceMs) => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;

/** Runs one script and keeps what it says; only a failure is worth reading. */
function run(step) {
  const startedMs = performance.now();
  return new Promise((settle) => {
    const child = spawn('npm', ['run', '--silent', step.name], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: STEP_MINUTES_MAX * 60_000,
    });
    let output = '';
    const collect = (chunk) => {
      output += chunk;
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    child.on('error', (error) => {
      settle({ step, isGreen: false, output: String(error) });
    });
    child.on('close', (code, signal) => {
      const isGreen = code === 0;
      console.log(`${isGreen ? '✓' : '✗'} ${step.name.padEnd(14)} ${seconds(startedMs)}`);
      const isOverTime = performance.now() - startedMs >= STEP_MINUTES_MAX * 60_000;
      const limit = ` at its limit of ${STEP_MINUTES_MAX} minutes: it did not fail, it did not end`;
      const isCut = signal !== null || (code !== 0 && isOverTime);
      const ending = isCut ? `\nstopped by ${signal ?? 'SIGTERM'}${isOverTime ? limit : ''}` : '';
      settle({ step, isGreen, output: output + ending });
    });
  });
}

async function runAll(steps) {
  const waiting = [...steps];
  const outcomes = [];
  const lane = async () => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      outcomes.push(await run(step));
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return outcomes;
}

function report(failed) {
  for (const { step, output } of failed) {
    console.log(`\n── ${step.name} ${'─'.repeat(Math.max(0, 70 - step.name.length))}`);
    console.log(output.trim());
  }
  if (failed.length === 0) return;
  console.log('\nFailed:');
  for (const { step } of failed) {
    console.log(`  npm run ${step.name}${step.hint === '' ? '' : `   (${step.hint})`}`);
  }
}

const startedMs = performance.now();
const wantsStatic = process.argv.includes('--static');
const outcomes = await runAll(STEPS.filter(({ isStatic = true }) => isStatic || !wantsStatic));
const failed = outcomes.filter(({ isGreen }) => !isGreen);
report(failed);
console.log(`\n${seconds(startedMs)} in all`);
console.log(`${outcomes.length - failed.length} passed, ${failed.length} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;
