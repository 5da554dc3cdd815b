import { type Finding, type TextFile, lineAt } from './tree.ts';

const TYPE = /^export (?:interface|type|class) ([A-Z]\w*)/gm;
const TERM = /^\| \*\*(.+?)\*\*/gm;

/** `WebhookEndpointDoc` ends with `doc`. */
function lastWordOf(name: string): string {
  return singular(wordsOf(name).at(-1) ?? '');
}

function wordsOf(text: string): string[] {
  const apart = text.replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2');
  return (apart.match(/[A-Za-z0-9]+/g) ?? []).map((word) => word.toLowerCase());
}

function singular(word: string): string {
  if (word.endsWith('ies')) return `${word.slice(0, -3)}y`;
  return /[^su]s$/.test(word) ? word.slice(0, -1) : word;
}

/** Types of core whose last word is neither a term of the glossary nor a plain one. */
export function findUnexplainedWords(
  files: readonly TextFile[],
  { glossary, plain }: { readonly glossary: string; readonly plain: ReadonlySet<string> },
): Finding[] {
  const terms = [...glossary.matchAll(TERM)].flatMap(([, term = '']) => wordsOf(term));
  const known = new Set([...plain, ...terms.map(singular)]);
  return files
    .filter(({ path }) => path.startsWith('core/') && path.endsWith('.ts'))
    .flatMap(({ path, text }) =>
      [...text.matchAll(TYPE)]
        .filter(([, name = '']) => !known.has(lastWordOf(name)))
        .map((match) => ({
          path,
          line: lineAt(text, match.index),
          problem: `${match[1] ?? ''}: "${lastWordOf(match[1] ?? '')}" is not in docs/GLOSSARY.md`,
        })),
    );
}

/** Plain words that no type ends with any more. */
export function findUnusedWords(
  files: readonly TextFile[],
  plain: ReadonlySet<string>,
): readonly string[] {
  const used = new Set(
    files
      .filter(({ path }) => path.startsWith('core/'))
      .flatMap(({ text }) => [...text.matchAll(TYPE)].map(([, name = '']) => lastWordOf(name))),
  );
  return [...plain].filter((word) => !used.has(word));
}
