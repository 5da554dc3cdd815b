import { SETTING_NAMES, rowOf } from '../../config/settings.ts';
import type { SettingValue } from '../../config/setting-row.ts';
import { code, heading, table } from './markdown.ts';

const INTRO = `Every row of \`config/settings.ts\`. All of them take effect while the platform runs, in every
process within 5 seconds of the change: \`sluice config set\`, or \`PUT /v1/settings/<name>\`. How they are
stored, who may change what, and what happens when a document is not usable:
[steering](steering.md).`;

export function settingsPage(): string {
  const areas = [...new Set(SETTING_NAMES.map((name) => name.split('.')[0] ?? name))];
  const sections = areas.map((area) => {
    const names = SETTING_NAMES.filter((name) => name.startsWith(`${area}.`));
    const rows = names.map((name) => {
      const row = rowOf(name);
      const scopes = ['installation', ...row.by].join(', ');
      const own = row.tenantMay ? ' (by itself)' : '';
      return [
        code(name),
        row.summary,
        defaultText(row.default, row.byChannel),
        row.unit,
        row.allowed,
        `${scopes}${row.by.includes('tenant') ? own : ''}`,
      ];
    });
    return `## ${area}\n\n${table(COLUMNS, rows)}`;
  });
  return `${heading('Settings', INTRO)}\n${sections.join('\n')}`;
}

const COLUMNS = ['Name', 'What', 'Default', 'Unit', 'Allowed', 'May be set for'];

function defaultText(
  usual: SettingValue,
  byChannel: Readonly<Record<string, SettingValue>> | undefined,
): string {
  if (byChannel === undefined) return code(JSON.stringify(usual));
  return Object.entries(byChannel)
    .map(([channel, value]) => `${channel} ${code(JSON.stringify(value))}`)
    .join('; ');
}
