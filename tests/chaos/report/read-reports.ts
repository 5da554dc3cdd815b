import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { REPORT_FORMAT, type Report } from './report.ts';

const NAME = 'report.json';

/** The reports in these folders and in the folders right below them; those of an older form are left out. */
export function readReports(places: readonly string[]): {
  readonly reports: readonly Report[];
  readonly leftOut: readonly string[];
} {
  const files = places.flatMap((place) => [join(place, NAME), ...below(place)]).filter(existsSync);
  const reports: Report[] = [];
  const leftOut: string[] = [];
  for (const file of new Set(files)) {
    const read = JSON.parse(readFileSync(file, 'utf8')) as Report; // as `writeReport` writes it
    if (read.format === REPORT_FORMAT) reports.push(read);
    else leftOut.push(file);
  }
  return { reports, leftOut };
}

function below(place: string): readonly string[] {
  if (!existsSync(place)) return [];
  return readdirSync(place)
    .sort()
    .map((name) => join(place, name))
    .filter((path) => statSync(path).isDirectory())
    .map((path) => join(path, NAME));
}
