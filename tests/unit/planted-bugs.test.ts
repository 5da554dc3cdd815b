import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readBugs } from '../planted/read-bugs.ts';
import { ROOT } from '../support/tidy/tree.ts';

/** So that the tables cannot rot: what is to be replaced is there, and so is what must notice. */
describe('the planted bugs', async () => {
  const bugs = await readBugs();

  it('are there', () => {
    expect(bugs.length).toBeGreaterThan(0);
  });
  it('have names of their own', () => {
    expect(new Set(bugs.map(({ name }) => name)).size).toBe(bugs.length);
  });
  it.each(bugs)('can be planted: $name', ({ file, find, replace, foundBy }) => {
    const parts = readFileSync(join(ROOT, file), 'utf8').split(find);
    expect(parts, `occurrences of the text in ${file}`).toHaveLength(2);
    expect(replace).not.toBe(find);
    expect(foundBy.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});
