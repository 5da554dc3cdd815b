import { readFileSync, readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

/** One file of the project as text; `path` is relative to the root, with forward slashes. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

/** Something wrong at a place; `formatFinding` gives the line that a test failure prints. */
export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly problem: string;
}

export const ROOT = resolve(import.meta.dirname, '../../..');

const TEXT_NAMES = /(^|\/)(Dockerfile|LICENSE|\.[a-z]+ignore|\.npmrc|\.env\.example|\.ci\/run)$/;
const TEXT_KINDS =
  /\.(ts|mjs|cjs|js|jsonc?|md|ya?ml|sh|html|css|svg|sql|lua|graphql|ndjson|csv|txt)$/;
const isText = (path: string): boolean => TEXT_NAMES.test(path) || TEXT_KINDS.test(path);

/** What git ignores: the simple forms that .gitignore uses, read from it so that they agree. */
function ignoredByGit(root: string): (path: string) => boolean {
  const lines = readFileSync(join(root, '.gitignore'), 'utf8').split('\n');
  const patterns = lines
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.replace(/^\/|\/$/g, ''))
    .map((line) => line.replaceAll('.', '\\.').replaceAll('*', '[^/]*'))
    .map((line) => new RegExp(`(^|/)${line}(/|$)`));
  return (path) => path === '.git' || patterns.some((pattern) => pattern.test(path));
}

/** Every text file that would be committed. Does not need git: a checkout may come without it. */
export function readTree(root: string = ROOT): readonly TextFile[] {
  const isIgnored = ignoredByGit(root);
  const files: TextFile[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const full = join(folder, entry.name);
      const path = relative(root, full).replaceAll('\\', '/');
      if (isIgnored(path)) continue;
      if (entry.isDirectory()) visit(full);
      else if (isText(path)) files.push({ path, text: readFileSync(full, 'utf8') });
    }
  };
  visit(root);
  return files;
}

export const isCode = ({ path }: TextFile): boolean => /\.(ts|mjs|cjs|js)$/.test(path);
export const isTest = ({ path }: TextFile): boolean => path.startsWith('tests/');
export const isMarkdown = ({ path }: TextFile): boolean => path.endsWith('.md');
export const isSource = ({ path }: TextFile): boolean =>
  /^(config|core|queues|api|workers)\//.test(path);

export function formatFinding({ path, line, problem }: Finding): string {
  return `${path}:${String(line)} ${problem}`;
}

/** The 1-based line of an offset. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) {
    line += 1;
  }
  return line;
}
