import { type Finding, type TextFile, isMarkdown, lineAt } from './tree.ts';

const TOPS =
  'api|bench|cli|client|config|core|deploy|examples|queues|runtime|scripts|tests|workers';
/** Made by a command, and not in git. */
const MADE: ReadonlySet<string> = new Set(['bench/results/']);
const PATH = new RegExp(String.raw`(?<=\`)(?:${TOPS})/[\w./-]*(?=\`)`, 'g');

/** Every folder of the root and of `core/` has a row in the map of README. */
export function findRoomsOffTheMap(files: readonly TextFile[]): Finding[] {
  const readme = files.find(({ path }) => path === 'README.md')?.text ?? '';
  const rooms = new Set(
    files.flatMap(({ path }) => /^(?:core\/[\w-]+\/|(?!core\/)\w[\w-]*\/)/.exec(path)?.[0] ?? []),
  );
  rooms.delete('docs/');
  return [...rooms]
    .filter((room) => !readme.includes(`| \`${room}\``))
    .map((room) => ({
      path: 'README.md',
      line: 1,
      problem: `${room} is not on the map: add a row that says what stands there`,
    }));
}

/** Paths in code spans of pages lead somewhere. Decisions are history: they keep the names of their day. */
export function findLostPaths(files: readonly TextFile[]): Finding[] {
  const paths = new Set(
    files.flatMap(({ path }) => {
      const parts = path.split('/');
      return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
    }),
  );
  return files
    .filter((file) => isMarkdown(file) && !file.path.startsWith('docs/decisions/'))
    .flatMap(({ path, text }) =>
      [...text.matchAll(PATH)]
        .filter(([found]) => !MADE.has(found) && !paths.has(found.replace(/\/$/, '')))
        .map((match) => ({
          path,
          line: lineAt(text, match.index),
          problem: `there is no ${match[0]}`,
        })),
    );
}

/** Rows of tables that name a file and what to look for in it: it stands there. */
export function findLostNames(files: readonly TextFile[]): Finding[] {
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  return files
    .filter(({ path }) => path === 'docs/walk.md')
    .flatMap(({ path, text }) =>
      [...text.matchAll(/^\| `([\w/.-]+\.ts)` +\| `(\w+)` +\|/gm)]
        .filter(
          ([, file = '', name = '']) => !new RegExp(`\\b${name}\\b`).test(texts.get(file) ?? ''),
        )
        .map((match) => ({
          path,
          line: lineAt(text, match.index),
          problem: `${match[1] ?? ''} has no ${match[2] ?? ''}`,
        })),
    );
}
