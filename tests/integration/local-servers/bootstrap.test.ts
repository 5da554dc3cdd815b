import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { createCleanup } from './support.ts';

type Bootstrap = { areDependenciesInstalled: (root: string) => boolean };

const root = join(import.meta.dirname, '..', '..', '..');
const file = pathToFileURL(join(root, 'scripts', 'bootstrap.mjs')).href;
const { areDependenciesInstalled } = (await import(file)) as Bootstrap;

const cleanup = createCleanup();

type Packages = Record<string, { version?: string; integrity?: string; optional?: boolean }>;

function makeClone(wanted: Packages, installed?: Packages): string {
  const folder = cleanup.makeFolder();
  const write = (path: string, packages: Packages): void => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, JSON.stringify({ packages }));
  };
  write(join(folder, 'package-lock.json'), wanted);
  if (installed) write(join(folder, 'node_modules', '.package-lock.json'), installed);
  return folder;
}

describe('before the first start', () => {
  afterEach(cleanup.run);

  const LEFT = { version: '1.0.0', integrity: 'sha512-a' };
  const PACKAGES = { '': { version: '0.1.0' }, 'node_modules/left': LEFT };

  it('takes the packages as installed when they are those of the lock file', () => {
    expect(areDependenciesInstalled(makeClone(PACKAGES, { 'node_modules/left': LEFT }))).toBe(true);
    expect(areDependenciesInstalled(root)).toBe(true);
  });

  it.each<[string, Packages | undefined]>([
    ['nothing is installed', undefined],
    ['one is missing', {}],
    ['one has another version', { 'node_modules/left': { ...LEFT, version: '1.0.1' } }],
    ['one has another content', { 'node_modules/left': { ...LEFT, integrity: 'sha512-b' } }],
  ])('installs them when %s', (_, installed) => {
    expect(areDependenciesInstalled(makeClone(PACKAGES, installed))).toBe(false);
  });

  it('does not miss what is optional', () => {
    const wanted = { ...PACKAGES, 'node_modules/other-system': { ...LEFT, optional: true } };
    expect(areDependenciesInstalled(makeClone(wanted, { 'node_modules/left': LEFT }))).toBe(true);
  });
});
