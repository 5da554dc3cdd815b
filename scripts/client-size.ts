import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

interface BundleSize {
  readonly minified: number;
  readonly gzipped: number;
}

/** What a page loads for some code that imports from a folder. Fails on any import that is not there. */
export async function clientSize(contents: string, resolveDir: string): Promise<BundleSize> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir, loader: 'ts' },
    ...{ bundle: true, minify: true, write: false, format: 'esm', platform: 'browser' },
    target: 'es2022',
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error('esbuild has written nothing');
  return { minified: file.contents.length, gzipped: gzipSync(file.contents, { level: 9 }).length };
}
