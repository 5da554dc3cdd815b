import { type Finding, type TextFile, lineAt } from './tree.ts';

interface Owned {
  readonly owner: string;
  readonly guests?: Readonly<Record<string, string>>;
}

const OPENED = /\bcollection(?:<[^()]*>)?\(\s*[\w.]+,\s*'(\w+)'/g;

/** Collections that are opened outside their rooms, and guests that no longer come. */
export function findForeignCollections(
  files: readonly TextFile[],
  collections: Readonly<Record<string, Owned>>,
): Finding[] {
  const sources = files.filter(({ path }) =>
    /^(api|cli|core|queues|runtime|workers)\/.*\.ts$/.test(path),
  );
  const seen = new Set<string>();
  const foreign = sources.flatMap(({ path, text }) =>
    [...text.matchAll(OPENED)].flatMap((match) => {
      const [, name = ''] = match;
      const spec = collections[name];
      seen.add(`${name} ${path}`);
      if (spec === undefined || path.startsWith(`${spec.owner}/`)) return [];
      if (spec.guests?.[path] !== undefined) return [];
      const problem = `opens ${name}, which is ${spec.owner}'s: ask its store`;
      return [{ path, line: lineAt(text, match.index), problem }];
    }),
  );
  const gone = Object.entries(collections).flatMap(([name, { guests = {} }]) =>
    Object.keys(guests)
      .filter((path) => !seen.has(`${name} ${path}`))
      .map((path) => ({ path, line: 1, problem: `is a guest of ${name} and does not open it` })),
  );
  return [...foreign, ...gone];
}
