/** The note on top of every generated page. */
export function heading(title: string, intro: string): string {
  const note = '<!-- Generated from the code by `npm run docs`; edit the code instead. -->';
  return `# ${title}\n\n${note}\n\n${intro}\n`;
}

export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  const rule = `| ${columns.map(() => '---').join(' | ')} |`;
  return [line(columns), rule, ...rows.map(line)].join('\n') + '\n';
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

export function code(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}
