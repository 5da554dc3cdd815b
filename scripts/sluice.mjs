#!/usr/bin/env node
/**
 * The `sluice` command: `npx sluice …` anywhere inside a checkout (npx finds the bin of the package
 * that it stands in by itself), or `node scripts/sluice.mjs …`. A checkout runs the sources through
 * tsx; an image, which has neither tsx nor the sources, runs what `npm run build` made.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const SOURCE = new URL('../cli/main.ts', import.meta.url);
const BUILT = new URL('../dist/cli/main.js', import.meta.url);
const BOOTSTRAP = new URL('./bootstrap.mjs', import.meta.url);
const EXIT_USAGE = 2;

const require = createRequire(import.meta.url);

function isInstalled(name) {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

function stop(sentence) {
  process.stderr.write(`sluice: ${sentence}\n`);
  process.exitCode = EXIT_USAGE;
}

async function launch() {
  // An image has its Node and no bootstrap.
  if (existsSync(BOOTSTRAP)) await (await import(BOOTSTRAP.href)).ensureNode();
  // The sources first: in a checkout a `dist` may be there too, and older than they are.
  if (existsSync(SOURCE) && isInstalled('tsx')) {
    const { register } = await import('tsx/esm/api');
    register();
    await import(SOURCE.href);
  } else if (existsSync(BUILT) && isInstalled('commander')) {
    await import(BUILT.href);
  } else {
    const root = fileURLToPath(new URL('..', import.meta.url));
    stop(`the dependencies are not installed; run \`npm install\` in ${root} first.`);
  }
}

await launch();
