import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { heading, table } from './markdown.ts';

/** The index of decisions, made of their own titles. */
export function decisionsPage(): string {
  const folder = join(import.meta.dirname, '../../docs/decisions');
  const files = readdirSync(folder).filter((file) => /^\d{4}-.+\.md$/.test(file));
  const rows = files.toSorted().map((file) => {
    const [title = ''] = /(?<=^# ).+/m.exec(readFileSync(join(folder, file), 'utf8')) ?? [];
    return [`[${file.slice(0, 4)}](${file})`, title.replace(/^\d+\W+/, '')];
  });
  const intro =
    'What was decided, and why. They are history: each keeps the names and paths of its day. Numbers\n' +
    'are handed out in ranges to people who work side by side; those that are missing were not needed,\n' +
    'and are not given again.';
  return `${heading('Decisions', intro)}\n${table(['Number', 'Decision'], rows)}`;
}
