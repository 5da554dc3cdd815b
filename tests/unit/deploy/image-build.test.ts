import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../../..');
const run = promisify(execFile);
const linesOf = (file: string, start: RegExp): readonly string[] =>
  readFileSync(join(ROOT, file), 'utf8')
    .split('\n')
    .filter((line) => start.test(line))
    .map((line) => line.replace(start, ''));

/** What the image is built from and by, without Docker: its context, its build step, its last stage. */
describe('an image', { timeout: 180_000 }, () => {
  let folder = '';
  const [context, image] = [() => join(folder, 'context'), () => join(folder, 'image')];

  const put = (from: string, to: string, path: string): void => {
    mkdirSync(dirname(join(to, path)), { recursive: true });
    cpSync(join(from, path), join(to, path), { recursive: true });
  };
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'image-'));
    for (const path of linesOf('.dockerignore', /^!/)) put(ROOT, context(), path);
    for (const stage of [context(), image()]) {
      mkdirSync(stage, { recursive: true });
      symlinkSync(join(ROOT, 'node_modules'), join(stage, 'node_modules'));
    }
    rmSync(join(context(), 'console/dist'), { recursive: true, force: true }); // not in the context
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('is built from its context alone, with entry points, console and command line', async () => {
    const steps = linesOf('deploy/Dockerfile', /^RUN /).filter((step) => !step.includes('npm ci'));
    expect(steps).toHaveLength(1);
    for (const step of steps) await run('sh', ['-c', step], { cwd: context() });
    for (const entry of ['api/main', 'workers/main', 'cli/main', 'scripts/dev/sandbox/main']) {
      expect(existsSync(join(context(), `dist/${entry}.js`)), entry).toBe(true);
    }
    expect(existsSync(join(context(), 'console/dist/index.html'))).toBe(true);
    put(context(), image(), 'dist');
    for (const path of ['package.json', 'scripts/sluice.mjs']) put(ROOT, image(), path);
    const { stdout } = await run(process.execPath, ['scripts/sluice.mjs', '--help'], {
      cwd: image(),
    });
    expect(stdout).toContain('Usage: sluice');
  });
});
