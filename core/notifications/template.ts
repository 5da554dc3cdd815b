import type { Json } from '../kernel/canonical.ts';
import type { FieldError } from '../kernel/errors.ts';

/** Text of one event on one channel in one language. Push uses `subject` as its title. */
export interface TemplateText {
  readonly subject?: string;
  readonly text: string;
  readonly html?: string;
}

export interface Rendered {
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
}

export type TemplateData = Readonly<Record<string, Json>>;

const VARIABLE = /\{\{\s*([A-Za-z][A-Za-z0-9_.-]{0,63})\s*\}\}/g;

/**
 * Replaces every `{{name}}`; a value that is not there becomes nothing. Values are escaped in HTML,
 * and the subject is one line, whatever they hold. A value is never taken for a template. Pure.
 */
export function render({ subject = '', text, html }: TemplateText, data: TemplateData): Rendered {
  return {
    subject: oneLine(fill(subject, data, (value) => value)),
    text: fill(text, data, (value) => value),
    ...(html !== undefined && { html: fill(html, data, escapeHtml) }),
  };
}

function fill(source: string, data: TemplateData, escape: (value: string) => string): string {
  return source.replace(VARIABLE, (_match, name: string) => escape(textOf(data, name)));
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
