import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { clientSize } from './client-size.ts';

/** Builds `client/dist` (ESM and declarations), and says how large the client is in a bundle. */
const root = fileURLToPath(new URL('..', import.meta.url));

await rm(`${root}client/dist`, { recursive: true, force: true });
const tsc = fileURLToPath(import.meta.resolve('typescript/lib/tsc.js'));
const run = promisify(execFile);
await run(process.execPath, [tsc, '-p', `${root}client`]).catch((error: unknown) => {
  console.error(error instanceof Error && 'stdout' in error ? error.stdout : error);
  process.exit(1);
});
for (const [what, code] of [
  ['all of it', "export * from './index.js'"],
  ['createClient', "export { createClient } from './index.js'"],
] as const) {
  const { minified, gzipped } = await clientSize(code, `${root}client/dist`);
  console.log(`client/dist, ${what}: minified ${minified} bytes, gzipped ${gzipped}`);
}
