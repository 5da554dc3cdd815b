import { LIMITS } from '../../../config/limits.ts';
import type { Json } from '../../kernel/canonical.ts';
import type { FieldError } from '../../kernel/errors.ts';

/** Text of one event on one channel in one language. Push uses `subject` as its title. */
export interface TemplateText {
  readonly subject?: string;
  readonly text: string;
  readonly html?: string;
}

/** What came of it; `isTooLong`: only a part, for want of room. */
export interface Rendered {
  readonly isTooLong?: true;
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
}

export type TemplateData = Readonly<Record<string, Json>>;

const VARIABLE = /\{\{\s*([A-Za-z][A-Za-z0-9_.-]{0,63})\s*\}\}/g;

/**
 * Replaces every `{{name}}`; a value that is not there becomes nothing. Values are escaped in HTML,
 * and the subject is one line, whatever they hold. A value is never taken for a template. Each part
 * ends where it has no room left, and `isTooLong` says so: a text of a few bytes that names a long
 * value ten thousand times would fill the memory of whoever makes it. Pure.
 */
export function render(
  { subject = '', text, html }: TemplateText,
  data: TemplateData,
  charsMax: number = LIMITS.templateOutputCharsMax,
): Rendered {
  const parts = [
    fill(subject, data, { escape: (value) => value, charsMax }),
    fill(text, data, { escape: (value) => value, charsMax }),
    html === undefined ? undefined : fill(html, data, { escape: escapeHtml, charsMax }),
  ] as const;
  const [line, plain, marked] = parts;
  return {
    subject: oneLine(line.text),
    text: plain.text,
    ...(marked !== undefined && { html: marked.text }),
    ...(parts.some((part) => part?.isCut === true) && { isTooLong: true }),
  };
}

interface Filling {
  readonly escape: (value: string) => string;
  readonly charsMax: number;
}

function fill(
  source: string,
  data: TemplateData,
  { escape, charsMax }: Filling,
): { readonly text: string; readonly isCut: boolean } {
  const filled = new Map<string, string>();
  const pieces: string[] = [];
  let chars = 0;
  let from = 0;
  const add = (piece: string): boolean => {
    chars += piece.length;
    if (chars > charsMax) return false;
    pieces.push(piece);
    return true;
  };
  for (const match of source.matchAll(VARIABLE)) {
    const [{ length }, name = ''] = match;
    const value = filled.get(name) ?? escape(textOf(data, name));
    filled.set(name, value);
    if (!add(source.slice(from, match.index)) || !add(value)) {
      return { text: pieces.join(''), isCut: true };
    }
    from = match.index + length;
  }
  const isCut = !add(source.slice(from));
  return { text: pieces.join(''), isCut };
}

function textOf(data: TemplateData, name: string): string {
  const value = Object.hasOwn(data, name) ? data[name] : undefined;
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (found) => ENTITIES[found] ?? found);
}

/** A line break in a subject would begin a mail header of its own. */
function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- these are what it removes
  return text.replace(/[\u0000-\u001f\u007f]+/g, ' ').trim();
}

/** What is wrong with a template's braces; an empty list when it can be used. Pure. */
export function templateProblems(template: TemplateText): readonly FieldError[] {
  return Object.entries(template)
    .filter((field): field is [string, string] => typeof field[1] === 'string')
    .filter(([, source]) => /\{\{|\}\}/.test(source.replace(VARIABLE, '')))
    .map(([name]) => ({
      pointer: `/${name}`,
      detail: 'has braces that are no {{variable}} (letters, digits and . _ - after a letter)',
    }));
}

/** The variables that a template asks for, in order, each once. */
export function variablesOf(template: TemplateText): readonly string[] {
  const sources = [template.subject, template.text, template.html].filter(
    (source) => source !== undefined,
  );
  const names = sources.flatMap((source) =>
    [...source.matchAll(VARIABLE)].map(([, name = '']) => name),
  );
  return [...new Set(names)];
}
