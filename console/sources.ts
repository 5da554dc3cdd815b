import { hash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Beside what was built: the hash of what it was built from. */
export const SOURCES_FILE = 'sources.txt';

const ROOT = join(import.meta.dirname, '..');
const OUR_OWN = ['console/index.html', 'console/vite.config.ts', 'console/tsconfig.json'];
/** What else goes into it. */
const FROM_ELSEWHERE = ['core/kernel/currencies.ts', 'package-lock.json'];

/** Of every source of the console, by path and content: file times say nothing after a checkout. */
export function hashOfSources(): string {
  const sources = readdirSync(join(ROOT, 'console/src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort((a, b) => (a < b ? -1 : Number(a > b)));
  const others = [...OUR_OWN, ...FROM_ELSEWHERE].map((path) => join(ROOT, path));
  const lines = [...sources, ...others].map(
    (path) => `${path.slice(ROOT.length)} ${hash('sha256', readFileSync(path))}`,
  );
  return hash('sha256', lines.join('\n'));
}
