import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { AppError } from '../../core/kernel/errors.ts';
import type { Reply } from '../http/reply.ts';
import { html, htmlReply } from './html.ts';

/** The console as it was built: every file of it, read once. */
export interface ConsoleFiles {
  /** What every page of the console starts from. */
  page(): Reply;
  /** A file that the page asks for. @throws AppError `not_found`. */
  asset(name: string): Reply;
}

interface Built {
  readonly index: string;
  readonly assets: ReadonlyMap<string, string>;
}

/** Beside the sources, and in an image beside what they were compiled to. */
const FOLDERS = ['../../console/dist', '../../../console/dist'].map((path) =>
  resolve(import.meta.dirname, path),
);

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Everything from here, nothing inline, forms (sign out) only to here. */
const POLICY =
  "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; " +
  "frame-ancestors 'none'";

/** A name has a hash of what is in it, so it never means anything else. */
const FOR_EVER = 'public, max-age=31536000, immutable';

export function createConsoleFiles(folders: readonly string[] = FOLDERS): ConsoleFiles {
  let known: Built | undefined;
  /** Looked for again until it is there: it may be built after the API has started. */
  const built = (): Built | undefined => (known ??= readBuilt(folders));
  return Object.freeze({
    page: () => {
      const found = built();
      if (found === undefined) return notBuilt();
      return {
        status: 200,
        contentType: 'text/html; charset=utf-8',
        headers: {
          'Cache-Control': 'no-cache',
          'Content-Security-Policy': POLICY,
          'Referrer-Policy': 'same-origin',
        },
        text: found.index,
      };
    },
    asset: (name: string) => {
      const text = built()?.assets.get(name);
      if (text === undefined) throw new AppError('not_found', 'There is no such file');
      return {
        status: 200,
        contentType: CONTENT_TYPES[extname(name)] ?? 'text/plain; charset=utf-8',
        headers: { 'Cache-Control': FOR_EVER },
        text,
      };
    },
  } satisfies ConsoleFiles);
}

function readBuilt(folders: readonly string[]): Built | undefined {
  const folder = folders.find((one) => existsSync(join(one, 'index.html')));
  if (folder === undefined) return undefined;
  const read = (path: string): string => readFileSync(join(folder, path), 'utf8');
  const names = readdirSync(join(folder, 'assets'));
  return {
    index: read('index.html'),
    assets: new Map(names.map((name) => [name, read(join('assets', name))])),
  };
}

function notBuilt(): Reply {
  return htmlReply({
    title: 'Not built',
    status: 503,
    body: html`<h1>The console is not built</h1>
      <p>Run <code>npm run console:build</code>, then load this page again.</p>
      <p><a href="/admin/queues">Queues</a> (Bull Board) can be used without it.</p>`,
  });
}
