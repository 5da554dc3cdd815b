import { findForeignCollections } from '../../support/tidy/owners.ts';
import { findLostNames, findLostPaths, findRoomsOffTheMap } from '../../support/tidy/rooms.ts';
import { describe, expect, it } from 'vitest';
import { BANS, findBanned } from '../../support/tidy/banned.ts';
import { findUnexplainedWords, findUnusedWords } from '../../support/tidy/glossary.ts';
import { anchorsOf, findBrokenLinks, findLostPages } from '../../support/tidy/links.ts';
import {
  FILE_LINES_MAX,
  FUNCTION_LINES_MAX,
  LINE_CHARS_MAX,
  findBadNames,
  findDuplicateTitles,
  findLong,
  findLongFunctions,
} from '../../support/tidy/shape.ts';
import { type Finding, type TextFile, readTree } from '../../support/tidy/tree.ts';

const file = (path: string, text = ''): TextFile => ({ path, text });
const problems = (findings: readonly Finding[]): string[] => findings.map((one) => one.problem);
const lines = (count: number): string => 'x;\n'.repeat(count);

/** One text per ban that it must catch, and one close to it that it must not. */
const CAUGHT: Record<string, readonly [path: string, wrong: string, right: string]> = {
  reminder: ['docs/a.md', 'a FIXME', 'mktemp XXXXXX'],
  'machine path': ['core/a.ts', "'/home/me/checkout'", "'https://a.example/home/page', './work/a'"],
  'focused or skipped test': ['tests/a.test.ts', "it.only('a')", "it.skipIf(x)('a'), list.skip(1)"],
  'mocked module': ['tests/a.test.ts', "vi.mock('./a.ts')", 'vi.fn()'],
  snapshot: ['tests/a.test.ts', 'expect(a).toMatchSnapshot()', 'expect(a).toMatch(b)'],
  'lint switched off without a reason': [
    'core/a.ts',
    '// eslint-disable-next-line complexity',
    '// eslint-disable-next-line complexity -- one row per code',
  ],
  'type check switched off': ['core/a.ts', '// @ts-ignore', '// @ts-expect-error untyped'],
  'BullMQ event as the truth': ['core/a.ts', 'job.waitUntilFinished(events)', 'waitUntil(done)'],
  'retention by a flag': ['queues/a.ts', 'removeOnFail: true', 'removeOnFail: { count: 1 }'],
  'obliterated queue': ['queues/a.ts', 'queue.obliterate()', 'queue.drain()'],
  'whole keyspace': ['core/a.ts', "redis.keys('*')", 'Object.keys(a), map.keys()'],
  'timeout that does nothing': ['core/a.ts', 'timeoutMS: 5', 'socketTimeoutMS: 5'],
  'filter that may match everything': ['core/a.ts', 'ignoreUndefined: true', 'ignoreUndefined'],
  'write that may be lost': ['core/a.ts', 'writeConcern: { w: 1 }', "{ w: 'majority', row: 1 }"],
  'page by offset': ['core/a.ts', 'cursor.skip(20)', 'cursor.limit(20)'],
  'code in a query': ['core/a.ts', '{ $where: a }', '{ $expr: a }'],
  'TLS without a check': ['deploy/a.yml', 'rejectUnauthorized: false', 'rejectUnauthorized: true'],
  'weak hash': ['core/a.ts', "createHash('sha1')", "createHash('sha256')"],
};

describe('banned text', () => {
  it('has an example of every ban', () => {
    expect(Object.keys(CAUGHT)).toEqual(BANS.map(({ name }) => name));
  });

  it.each(Object.entries(CAUGHT))('catches: %s', (name, [path, wrong, right]) => {
    const found = problems(findBanned([file(path, wrong)]));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(name);
    expect(findBanned([file(path, right)])).toEqual([]);
  });

  it.each(['file:///home/me/a', 'cd /work/a', 'C:\\\\Users\\\\me', 'Z:/work/a', '("/root/.b")'])(
    'catches the machine path %s',
    (path) => {
      expect(findBanned([file('core/a.ts', path)])).toHaveLength(1);
    },
  );

  it('says where', () => {
    expect(findBanned([file('docs/a.md', 'one\ntwo\nFIXME\n')])).toMatchObject([{ line: 3 }]);
  });
});

describe('shape', () => {
  it('catches a long line, unless it carries a long URL', () => {
    const wide = 'x'.repeat(LINE_CHARS_MAX + 1);
    const url = `https://example.com/${'x'.repeat(LINE_CHARS_MAX)}`;
    expect(problems(findLong([file('core/a.ts', `${wide}\n${url}\n`)]))).toEqual([
      'line of 111 characters',
    ]);
  });

  it('catches a long file', () => {
    expect(findLong([file('core/a.ts', lines(FILE_LINES_MAX))])).toEqual([]);
    expect(findLong([file('core/a.ts', lines(FILE_LINES_MAX + 1))])).toHaveLength(1);
  });

  it('catches a long function, also inside a suite, but not the suite', () => {
    const long = `it('a', () => {\n${lines(FUNCTION_LINES_MAX)}});\n`;
    const short = `it('b', () => {\n${lines(FUNCTION_LINES_MAX - 2)}});\n`;
    const text = `describe('all', () => {\n${short}${long}});\nconst f = () => {\n${lines(70)}};\n`;
    expect(problems(findLongFunctions([file('tests/a.test.ts', text)]))).toEqual([
      'function (anonymous) of 72 lines',
      'function f of 72 lines',
    ]);
  });

  it('measures a factory without its functions', () => {
    const inner = `const f = () => {\n${lines(FUNCTION_LINES_MAX - 2)}};\n`;
    const factory = (own: number): TextFile =>
      file('core/a.ts', `function createA() {\n${inner}${inner}${lines(own)}}\n`);
    expect(findLongFunctions([factory(FUNCTION_LINES_MAX - 4)])).toEqual([]);
    expect(problems(findLongFunctions([factory(FUNCTION_LINES_MAX - 3)]))).toEqual([
      'function createA of 71 lines',
    ]);
  });

  it('catches equal titles on the same path only', () => {
    const text = `
      describe('a', () => { it('x', f); it('x', f); });
      describe('b', () => { it('x', f); it.each(rows)('y %s', f); });
    `;
    expect(problems(findDuplicateTitles([file('tests/a.test.ts', text)]))).toEqual([
      'duplicate test title "a > x"',
    ]);
  });

  it('catches file names that are not kebab-case', () => {
    const names = ['core/postTransfer.ts', 'core/post_transfer.ts', 'core/post-transfer.ts'];
    const roles = ['tests/post-transfer.error.test.ts', '.dependency-cruiser.cjs', 'README.md'];
    const bad = findBadNames([...names, ...roles].map((path) => file(path)));
    expect(bad.map(({ path }) => path)).toEqual(names.slice(0, 2));
  });
});

describe('links', () => {
  const page = file('docs/b.md', '# The `one` heading\n\n## Twice\n\n## Twice\n');

  it('catches a missing file and a missing heading', () => {
    const text = `[a](docs/b.md) [b](docs/b.md#the-one-heading) [c](docs/b.md#twice-1) [d](#here)
# Here
[e](docs/none.md) [f](docs/b.md#none) [g](https://a.example/none.md) [h](docs)
[i]: docs/lost.md
`;
    expect(problems(findBrokenLinks([file('README.md', text), page]))).toEqual([
      'broken link docs/none.md',
      'no heading for docs/b.md#none',
      'broken link docs/lost.md',
    ]);
  });

  it('leaves code alone', () => {
    const text = 'like `[a](none.md)`\n\n```md\n[b](none.md)\n# Not a heading\n```\n';
    expect(findBrokenLinks([file('README.md', text)])).toEqual([]);
    expect(anchorsOf(text)).toEqual(new Set());
  });

  it('catches a page that is only mentioned', () => {
    const text = '// see docs/b.md and docs/none/c.md\n';
    expect(problems(findLostPages([file('core/a.ts', text), page]))).toEqual([
      'there is no docs/none/c.md',
    ]);
  });
});

describe('rooms', () => {
  it('catches one that is not on the map', () => {
    const map = file('README.md', '| `api/` | HTTP |\n| `core/ledger/` | books |\n');
    const others = ['api/main.ts', 'core/ledger/book.ts', 'core/saga/engine.ts', 'cli/main.ts'];
    const found = findRoomsOffTheMap([map, ...others.map((path) => file(path, ''))]);
    expect(problems(found)).toEqual([
      'core/saga/ is not on the map: add a row that says what stands there',
      'cli/ is not on the map: add a row that says what stands there',
    ]);
  });

  it('catches a collection that is opened outside its room, and a guest that does not come', () => {
    const owned = {
      wallets: { owner: 'core/ledger', guests: { 'core/c/gone-store.ts': 'why' } },
      users: { owner: 'core/ledger', guests: { 'core/b/b-store.ts': 'why' } },
    };
    const opens = (name: string): string => `const a = collection<Doc>(db, '${name}');\n`;
    const found = findForeignCollections(
      [
        file('core/ledger/a-store.ts', opens('wallets') + opens('users')),
        file('core/b/b-store.ts', opens('users') + opens('wallets')),
        file('core/c/gone-store.ts', ''),
      ],
      owned,
    );
    expect(problems(found)).toEqual([
      "opens wallets, which is core/ledger's: ask its store",
      'is a guest of wallets and does not open it',
    ]);
  });

  it('catches a row of the walk whose name is gone from its file', () => {
    const rows =
      '| `core/a.ts` | `decide` | a |\n| `core/a.ts` | `gone` | b |\n| `core/b.ts` | `c` | c |\n';
    const found = findLostNames([
      file('core/a.ts', 'export function decide() {}\n'),
      file('docs/walk.md', rows),
    ]);
    expect(problems(found)).toEqual(['core/a.ts has no gone', 'core/b.ts has no c']);
  });

  it('catches a path that leads nowhere, but in a decision, which is history', () => {
    const text = '`core/a.ts`, `core/none.ts`, `core/`, `core/<type>.ts`, `bench/results/`\n';
    const files = [
      file('core/a.ts', ''),
      file('docs/b.md', text),
      file('docs/decisions/1.md', text),
    ];
    expect(problems(findLostPaths(files))).toEqual(['there is no core/none.ts']);
  });
});

describe('the tree', () => {
  it('is read without what git ignores', () => {
    const paths = readTree().map(({ path }) => path);
    expect(paths).toContain('.gitignore');
    expect(paths.filter((path) => /^(node_modules|\.git|dist|\.data)\//.test(path))).toEqual([]);
  });
});

describe('the words of core', () => {
  const glossary = '| **lane** | x |\n| **group commit** | y |\n';
  const plain = new Set(['doc']);
  const found = (name: string) =>
    problems(
      findUnexplainedWords([file('core/a.ts', `export interface ${name} {}`)], { glossary, plain }),
    );

  it.each(['StoredLane', 'LaneDoc', 'Commits', 'Lanes'])('know %s', (name) => {
    expect(found(name)).toEqual([]);
  });

  it('have to be explained, also one that only begins like a known one', () => {
    expect(found('LaneWidget')).toEqual(['LaneWidget: "widget" is not in docs/GLOSSARY.md']);
    expect(found('Docs2')).toHaveLength(1);
  });

  it('are not kept as plain when nobody says them', () => {
    const files = [file('core/a.ts', 'export type UserDoc = string;')];
    expect(findUnusedWords(files, new Set(['doc', 'widget']))).toEqual(['widget']);
  });
});
