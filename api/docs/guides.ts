import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Marked } from 'marked';
import type { PageLink } from './layout.ts';

/** The guides, in the order of reading; each is `docs/guides/<slug>.md`. */
const GUIDES = [
  { slug: 'getting-started', title: 'Getting started' },
  { slug: 'idempotency', title: 'Idempotency' },
  { slug: 'money', title: 'Money and amounts' },
  { slug: 'holds', title: 'Holds' },
  { slug: 'payments', title: 'Deposits and withdrawals' },
  { slug: 'webhooks', title: 'Webhooks' },
  { slug: 'streams', title: 'Streams' },
  { slug: 'reconciliation', title: 'Reconciliation' },
  { slug: 'errors', title: 'Errors and retries' },
  { slug: 'pagination', title: 'Pagination' },
] as const;

export interface Guide extends PageLink {
  readonly slug: string;
  readonly title: string;
  /** Markdown. */
  readonly text: string;
}

/** From beside the sources, or beside what was built of them. */
const ROOT = /[\\/]dist[\\/]api[\\/]docs$/.test(import.meta.dirname)
  ? join(import.meta.dirname, '../../..')
  : join(import.meta.dirname, '../..');

/** Reads them from the disk. */
export function readGuides(): readonly Guide[] {
  return GUIDES.map(({ slug, title }) => ({
    slug,
    title,
    href: `/docs/${slug}`,
    text: asServed(readFileSync(join(ROOT, 'docs/guides', `${slug}.md`), 'utf8')),
  }));
}

/** Links to other pages of the repository lead to where those are served. */
function asServed(text: string): string {
  return text
    .replaceAll('](../events.md)', '](/docs/events)')
    .replaceAll(/\]\(([a-z-]+)\.md\)/g, '](/docs/$1)');
}

const marked = new Marked({
  renderer: {
    heading({ tokens, depth, text }) {
      const id = text.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
      return `<h${depth} id="${id}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
    },
  },
});

/** Of our own text: what is in it is not escaped. */
export function markdown(text: string): string {
  return marked
    .parse(text, { async: false })
    .replaceAll('<table>', '<div class="wide"><table>')
    .replaceAll('</table>', '</table></div>');
}
