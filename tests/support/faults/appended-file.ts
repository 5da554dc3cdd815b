import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The append-only file of a Redis. Cut to an earlier size it has lost what came since. */
export function appendedFile(folder: string): { path: string; size: () => number } {
  const dir = join(folder, 'appendonlydir');
  const name = readdirSync(dir).find((file) => file.endsWith('.incr.aof'));
  if (name === undefined) throw new Error(`no append-only file in ${dir}`);
  const path = join(dir, name);
  return { path, size: () => readFileSync(path).length };
}
