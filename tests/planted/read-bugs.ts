import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { PlantedBug } from './planted-bug.ts';

const TABLES = join(import.meta.dirname, 'bugs');

/** Every table of `bugs/`; each exports its rows as `BUGS`. */
export async function readBugs(): Promise<readonly PlantedBug[]> {
  const files = readdirSync(TABLES).filter((file) => file.endsWith('.ts'));
  const tables = await Promise.all(
    files.sort().map(async (file) => {
      const table = (await import(pathToFileURL(join(TABLES, file)).href)) as {
        readonly BUGS: readonly PlantedBug[];
      };
      return table.BUGS;
    }),
  );
  return tables.flat();
}
