import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { ROOT } from '../../support/tidy/tree.ts';

/** What the processes of the platform are made of, and what they are started with. */
const FOLDERS = ['api', 'workers', 'queues', 'runtime', 'core', 'config'];
const FIXTURES = ['tests/chaos/fixtures', 'tests/faults/fixtures/skewed-clock.ts'];
const BUILDS = join(ROOT, '.data', 'chaos', 'build');
const BUILDS_KEPT = 6;

export interface BuiltTree {
  /** The compiled form of a file, named from the root. */
  file(script: string): string;
  readonly hash: string;
}

/**
 * Strips the types off a source tree, ours or a copy with a mistake planted in it: a process then
 * starts in half the time that `tsx` takes, which counts where hundreds are killed. Under our own
 * root, so that a copy needs no packages of its own.
 */
export function buildTree(tree: string): BuiltTree {
  const files = [
    ...FOLDERS.flatMap((folder) => listFiles(tree, folder)).map((path) => ({ path, from: tree })),
    ...FIXTURES.flatMap((place) => listFiles(ROOT, place)).map((path) => ({ path, from: ROOT })),
  ];
  const texts = files.map(({ path, from }) => ({
    path,
    text: readFileSync(join(from, path), 'utf8'),
  }));
  const hash = createHash('sha256').update(JSON.stringify(texts)).digest('hex').slice(0, 16);
  const folder = join(BUILDS, hash);
  if (!existsSync(folder)) writeBuild(folder, texts, tree);
  return Object.freeze({ hash, file: (script: string) => join(folder, asJs(script)) });
}

function writeBuild(
  folder: string,
  texts: readonly { readonly path: string; readonly text: string }[],
  tree: string,
): void {
  dropOldBuilds();
  const draft = `${folder}.${String(process.pid)}`;
  for (const { path, text } of texts) {
    const target = join(draft, asJs(path));
    mkdirSync(dirname(target), { recursive: true });
    if (path.endsWith('.ts')) writeFileSync(target, strip(path, text));
    else cpSync(join(tree, path), target);
  }
  renameSync(draft, folder);
}

function strip(path: string, text: string): string {
  const { outputText } = ts.transpileModule(text, {
    fileName: path,
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
    },
  });
  return outputText;
}

function asJs(path: string): string {
  return path.replace(/\.ts$/, '.js');
}

function listFiles(root: string, place: string): string[] {
  if (!existsSync(join(root, place))) return [];
  if (place.endsWith('.ts')) return [place];
  return readdirSync(join(root, place), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.d.ts'))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}

function dropOldBuilds(): void {
  if (!existsSync(BUILDS)) return;
  const names = readdirSync(BUILDS);
  for (const name of names.slice(0, Math.max(0, names.length - BUILDS_KEPT))) {
    rmSync(join(BUILDS, name), { recursive: true, force: true });
  }
}
