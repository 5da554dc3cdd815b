import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { PlantedBug } from '../../tests/planted/planted-bug.ts';

/** A copy of the tree as it is now, committed or not, that shares the installed packages. */
export interface TreeCopy {
  readonly folder: string;
  /** Plants one bug; the returned function takes it out again. @throws where its text is not there once. */
  plant(bug: PlantedBug): () => void;
  remove(): void;
}

export function copyTree(root: string, folder: string): TreeCopy {
  rmSync(folder, { recursive: true, force: true });
  const listed = spawnSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    },
  );
  if (listed.status !== 0) throw new Error(`git ls-files: ${listed.stderr}`);
  for (const path of listed.stdout.split('\0').filter((one) => one !== '')) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    // What is listed and deleted but not committed is not there.
    cpSync(join(root, path), join(folder, path), { force: true, errorOnExist: false });
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return Object.freeze({
    folder,
    plant: ({ name, file, find, replace }: PlantedBug) => {
      const path = join(folder, file);
      const before = readFileSync(path, 'utf8');
      const parts = before.split(find);
      if (parts.length !== 2) {
        throw new Error(`${name}: its text stands ${String(parts.length - 1)} times in ${file}`);
      }
      writeFileSync(path, parts.join(replace));
      return () => {
        writeFileSync(path, before);
      };
    },
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  });
}
