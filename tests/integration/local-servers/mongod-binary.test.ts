import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { resolveMongod } from '../../../scripts/dev/servers/mongod-binary.ts';
import { MONGODB_VERSION } from '../../../scripts/dev/servers/mongod-download.ts';
import { checkSum } from '../../../scripts/dev/servers/mongod-windows.ts';
import { LOCAL_HOST, pickPort } from '../../../scripts/dev/servers/ports.ts';
import { createWinePrefix } from '../../../scripts/dev/servers/wine.ts';
import { createCleanup, createMemoryLog } from './support.ts';

const cleanup = createCleanup();

function placeExecutable(path: string): string {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, '#!/bin/sh\n');
  chmodSync(path, 0o755);
  return path;
}

/** An environment in which nothing is found: no mongod, no apt-get, an empty cache. */
function makeBareEnv(): NodeJS.ProcessEnv & { SLUICE_CACHE_DIR: string; PATH: string } {
  return { PATH: cleanup.makeFolder(), SLUICE_CACHE_DIR: cleanup.makeFolder() };
}

describe('the search for a mongod', () => {
  afterEach(cleanup.run);

  it('prefers MONGOD_BINARY to the PATH', async () => {
    const env = makeBareEnv();
    placeExecutable(join(env.PATH, 'mongod'));
    const named = placeExecutable(join(cleanup.makeFolder(), 'my-mongod'));
    const found = await resolveMongod({ ...env, MONGOD_BINARY: named }, createMemoryLog());
    expect(found).toEqual({ kind: 'native', path: named });
  });

  it('does not look further when MONGOD_BINARY is wrong', async () => {
    const env = makeBareEnv();
    placeExecutable(join(env.PATH, 'mongod'));
    const search = resolveMongod({ ...env, MONGOD_BINARY: '/no/mongod' }, createMemoryLog());
    await expect(search).rejects.toThrow('MONGOD_BINARY names /no/mongod');
  });

  it('takes what is on the PATH', async () => {
    const env = makeBareEnv();
    const path = placeExecutable(join(env.PATH, 'mongod'));
    expect(await resolveMongod(env, createMemoryLog())).toEqual({ kind: 'native', path });
  });

  it('takes an earlier download, but not one that broke off', async () => {
    const env = makeBareEnv();
    const folder = join(env.SLUICE_CACHE_DIR, 'mongodb');
    placeExecutable(join(folder, `mongod-a-torso-${MONGODB_VERSION}`));
    const path = placeExecutable(join(folder, `mongod-x64-debian-${MONGODB_VERSION}`));
    writeFileSync(`${path}.md5`, '');
    expect(await resolveMongod(env, createMemoryLog())).toEqual({ kind: 'native', path });
  });

  it('gives up a refused download at once, and says what to do', async () => {
    const port = await pickPort([]);
    const env = {
      ...makeBareEnv(),
      MONGOMS_DOWNLOAD_MIRROR: `https://${LOCAL_HOST}:${String(port)}`,
    };
    const startedAt = performance.now();
    await expect(resolveMongod(env, createMemoryLog())).rejects.toThrow(
      /^MongoDB was not found and could not be fetched: put `mongod` .+ECONNREFUSED/,
    );
    expect(performance.now() - startedAt).toBeLessThan(8_000);
  });

  it('gives up a download that never answers', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => void silent.listen(0, LOCAL_HOST, resolve));
    cleanup.add(() => silent.close());
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const env = {
      ...makeBareEnv(),
      MONGOMS_DOWNLOAD_MIRROR: `https://${LOCAL_HOST}:${String(port)}`,
    };
    await expect(resolveMongod(env, createMemoryLog())).rejects.toThrow(/nothing came for 10 s/);
  });

  it('uses no file but the one whose sum is known', async () => {
    const path = join(cleanup.makeFolder(), 'mongod.exe');
    writeFileSync(path, 'something else');
    await expect(checkSum(path, 'ab'.repeat(32))).rejects.toThrow(
      /has the SHA-256 .+ and is not used/,
    );
  });

  it('lays a wine prefix that is small, and leaves a laid one alone', () => {
    const prefix = join(cleanup.makeFolder(), 'wine');
    createWinePrefix(prefix);
    writeFileSync(join(prefix, 'system.reg'), 'kept');
    createWinePrefix(prefix);
    expect(existsSync(join(prefix, 'system.reg'))).toBe(true);
  });
});
