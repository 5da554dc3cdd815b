import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { COLLECTIONS } from '../../core/infra/collections.ts';
import { findBanned } from '../support/tidy/banned.ts';
import { findUnexplainedWords, findUnusedWords } from '../support/tidy/glossary.ts';
import { findBrokenLinks, findLostPages } from '../support/tidy/links.ts';
import { findForeignCollections } from '../support/tidy/owners.ts';
import { PLAIN_WORDS } from '../support/tidy/plain-words.ts';
import { findLostNames, findLostPaths, findRoomsOffTheMap } from '../support/tidy/rooms.ts';
import {
  findBadNames,
  findDuplicateTitles,
  findLong,
  findLongFunctions,
} from '../support/tidy/shape.ts';
import { type Finding, ROOT, formatFinding, readTree } from '../support/tidy/tree.ts';

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.looseObject({ optionalDependencies: z.record(z.string(), z.string()).default({}) }),
  ),
});

/**
 * A test that reads the tree. What each rule catches is shown in tooling/tidy-rules.test.ts; a
 * failure here prints `file:line`, what is wrong and what to write instead.
 */
describe('the tree is tidy', () => {
  const files = readTree();
  const read = (path: string): string => files.find((one) => one.path === path)?.text ?? '';
  const expectNone = (findings: readonly Finding[]): void => {
    expect(findings.map(formatFinding)).toEqual([]);
  };

  it('is read as a whole', () => {
    const paths = files.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['package.json', 'tests/unit/tidy.test.ts']));
    expect(paths.filter((path) => path.includes('node_modules'))).toEqual([]);
  });
  it('has no banned text', () => {
    expectNone(findBanned(files));
  });
  it('has no line or file above the ceiling', () => {
    expectNone(findLong(files));
  });
  it('has no function above the ceiling', () => {
    expectNone(findLongFunctions(files));
  });
  it('has no two tests of one file with the same title', () => {
    expectNone(findDuplicateTitles(files));
  });
  it('names its files in kebab-case', () => {
    expectNone(findBadNames(files));
  });
  it('has no broken relative link', () => {
    expectNone(findBrokenLinks(files, (path) => existsSync(join(ROOT, path))));
  });
  it('mentions no page of docs/ that does not exist', () => {
    expectNone(findLostPages(files));
  });
  it('has every room on the map of README', () => {
    expectNone(findRoomsOffTheMap(files));
  });
  it('mentions no path in a page that leads nowhere', () => {
    expectNone(findLostPaths(files));
  });
  it('explains every noun of core in the glossary, or it is plain English', () => {
    const glossary = read('docs/GLOSSARY.md');
    expectNone(findUnexplainedWords(files, { glossary, plain: PLAIN_WORDS }));
    expect(findUnusedWords(files, PLAIN_WORDS)).toEqual([]);
  });
  it('opens every collection in the room that owns it', () => {
    expectNone(findForeignCollections(files, COLLECTIONS));
  });
  it('can be walked as docs/walk.md says', () => {
    const rows = read('docs/walk.md').match(/^\| `[\w/.-]+\.ts` +\| `/gm) ?? [];
    expect(rows.length).toBeGreaterThan(35);
    expectNone(findLostNames(files));
  });
  it('has a lock file that ties nobody to one registry host', () => {
    expect(read('package-lock.json')).not.toMatch(/"resolved": "https?:/);
  });
  it('has a lock file with the packages of every system, or npm ci refuses it', () => {
    // A registry that lacks some of them makes npm leave them out of the file without a word.
    const { packages } = lockSchema.parse(JSON.parse(read('package-lock.json')));
    const paths = Object.keys(packages);
    const optional = Object.values(packages).flatMap((one) =>
      Object.keys(one.optionalDependencies),
    );
    const isLocked = (name: string): boolean =>
      paths.some((path) => `/${path}`.endsWith(`/node_modules/${name}`));
    expect(optional.filter((name) => !isLocked(name))).toEqual([]);
  });
});
