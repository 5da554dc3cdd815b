import { posix } from 'node:path';
import { type Finding, type TextFile, isMarkdown, isTest, lineAt } from './tree.ts';

const INLINE = /!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)/g;
const REFERENCE = /^\[[^\]]+\]:\s+(\S+)/gm;
/** Outside of links, which are checked as such. */
const MENTION = /(?<![\w/.[(-])docs\/[\w/-]+\.md\b/g;

/** Same length, so that offsets hold: code may show links that are not meant to resolve. */
function blankCode(text: string): string {
  const blank = (code: string): string => code.replaceAll(/[^\n]/g, ' ');
  return text.replaceAll(/^(```|~~~)[\s\S]*?^\1/gm, blank).replaceAll(/`[^`\n]+`/g, blank);
}

/** The anchors of a page, as the usual renderers make them from its headings. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const counts = new Map<string, number>();
  const withoutFences = text.replaceAll(/^(```|~~~)[\s\S]*?^\1/gm, '');
  const anchors = [...withoutFences.matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)].map(([, heading = '']) => {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = plain.replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-');
    const times = counts.get(slug) ?? 0;
    counts.set(slug, times + 1);
    return times === 0 ? slug : `${slug}-${String(times)}`;
  });
  const explicit = [...text.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)].map(([, id = '']) => id);
  return new Set([...anchors, ...explicit]);
}

interface Link {
  readonly target: string;
  readonly offset: number;
}

function linksOf(text: string): Link[] {
  const visible = blankCode(text);
  return [...visible.matchAll(INLINE), ...visible.matchAll(REFERENCE)]
    .map((match) => ({ target: match[1] ?? '', offset: match.index }))
    .filter(({ target }) => !/^([a-z][a-z+.-]*:|\/\/)/i.test(target));
}

/** Every file, and every folder above one. */
function pathsOf(files: readonly TextFile[]): ReadonlySet<string> {
  const folders = files.flatMap(({ path }) => {
    const parts = path.split('/').slice(0, -1);
    return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  });
  return new Set(['', '.', ...folders, ...files.map(({ path }) => path)]);
}

/** Relative links of *.md, with their anchors. `others` are files that exist but are not text. */
export function findBrokenLinks(
  files: readonly TextFile[],
  others: (path: string) => boolean = () => false,
): Finding[] {
  const paths = pathsOf(files);
  const pages = new Map(files.filter(isMarkdown).map(({ path, text }) => [path, text]));
  return files.filter(isMarkdown).flatMap(({ path, text }) =>
    linksOf(text).flatMap(({ target, offset }) => {
      const [file = '', anchor] = target.split('#');
      const folder = posix.dirname(path);
      const resolved = file === '' ? path : posix.join(folder, decodeURI(file)).replace(/\/$/, '');
      const at = { path, line: lineAt(text, offset) };
      if (!paths.has(resolved) && !others(resolved)) {
        return [{ ...at, problem: `broken link ${target}` }];
      }
      const page = pages.get(resolved);
      const isLost = anchor !== undefined && page !== undefined && !anchorsOf(page).has(anchor);
      return isLost ? [{ ...at, problem: `no heading for ${target}` }] : [];
    }),
  );
}

/** `docs/….md` named in code, configuration or other pages has to exist; tests may invent pages. */
export function findLostPages(files: readonly TextFile[]): Finding[] {
  const paths = pathsOf(files);
  const isBinding = (file: TextFile): boolean => !file.path.endsWith('ignore') && !isTest(file);
  return files.filter(isBinding).flatMap(({ path, text }) =>
    [...text.matchAll(MENTION)]
      .filter(([page]) => !paths.has(page))
      .map((match) => ({
        path,
        line: lineAt(text, match.index),
        problem: `there is no ${match[0]}`,
      })),
  );
}
