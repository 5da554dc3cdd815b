import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../support/tidy/tree.ts';

/** A row of the table of failure windows: `| W1 … | closed by | `file` title |`. */
const ROW = /^\| (W\d+) .*\| `(tests\/[^`]+\.test\.ts)` (.+?) *\|$/;

const page = readFileSync(join(ROOT, 'docs', 'sagas.md'), 'utf8');
const rows = page.split('\n').flatMap((line) => {
  const [, window = '', file = '', title = ''] = ROW.exec(line) ?? [];
  return window === '' ? [] : [{ window, file, title }];
});

describe('the table of failure windows', () => {
  it('has a row for every window', () => {
    const windows = new Set(rows.map(({ window }) => window));
    const wanted = Array.from({ length: 24 }, (_, index) => `W${String(index + 1)}`);
    expect(wanted.filter((window) => !windows.has(window))).toEqual([]);
  });

  it.each(rows)('names a test that there is: $window $title', ({ window, file, title }) => {
    const source = readFileSync(join(ROOT, file), 'utf8');
    expect(source).toContain(title);
    expect(title.startsWith(`${window}:`)).toBe(true);
  });
});
