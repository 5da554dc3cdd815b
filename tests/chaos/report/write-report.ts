import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../support/tidy/tree.ts';
import { markdownOf } from './markdown.ts';
import type { Report } from './report.ts';

/** Writes `report.json` and `report.md`; returns where. */
export function writeReport(report: Report, folder: string): string {
  writeFileSync(join(folder, 'report.json'), `${JSON.stringify(report, undefined, 2)}\n`);
  const file = join(folder, 'report.md');
  writeFileSync(file, markdownOf(report));
  return file.startsWith(ROOT) ? file.slice(ROOT.length + 1) : file;
}
