import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * Where downloads are kept: with the user, not with the clone, so that a second clone and a removed
 * `node_modules` cost no second download.
 */
export function resolveCacheFolder(env: NodeJS.ProcessEnv): string {
  const own = env['SLUICE_CACHE_DIR'];
  if (own !== undefined && own !== '') return resolve(own);
  const base = env['XDG_CACHE_HOME'];
  return join(base === undefined || base === '' ? join(homedir(), '.cache') : base, 'sluice');
}
