import type { ErrorCode } from '../../core/kernel/errors.ts';
import { Html } from '../admin/html.ts';
import { type Document, documentOf, jsonDocument } from '../http/document.ts';
import type { Endpoint } from '../http/endpoint.ts';
import { openApiDocument } from '../openapi/document.ts';
import type { Docs } from '../services/public-services.ts';
import { eventCatalogue, eventsText } from './events-page.ts';
import { markdown, readGuides } from './guides.ts';
import { layout } from './layout.ts';
import { llmsText } from './llms.ts';
import { problemText, problemsText } from './problem-page.ts';
import { ASSETS, referencePage } from './reference.ts';

const HTML = 'text/html; charset=utf-8';
const MARKDOWN = 'text/markdown; charset=utf-8';

/** Each page is made when somebody asks for it first. */
export function createDocs(endpoints: readonly Endpoint[]): Docs {
  const made = new Map<string, Document>();
  const kept = (name: string, make: () => Document): Document => {
    const document = made.get(name) ?? make();
    made.set(name, document);
    return document;
  };
  const guides = (): ReturnType<typeof readGuides> => (read ??= readGuides());
  let read: ReturnType<typeof readGuides> | undefined;
  const page = (at: string, title: string, text: string): Document => {
    const body = new Html(markdown(text));
    return documentOf(HTML, layout({ title, body, at, nav: guides() }));
  };
  const pages: Readonly<Record<string, () => Document>> = {
    '': () => page('/docs', 'Documentation', indexText(guides())),
    reference: referencePage,
    events: () => page('/docs/events', 'Events', eventsText(eventCatalogue())),
  };
  const guidePage = (name: string): Document | undefined => {
    const guide = guides().find(({ slug }) => slug === name || `${slug}.md` === name);
    if (guide === undefined) return undefined;
    return kept(`guide ${name}`, () =>
      name.endsWith('.md')
        ? documentOf(MARKDOWN, guide.text)
        : page(guide.href, guide.title, guide.text),
    );
  };

  return Object.freeze({
    openApi: () => kept('openapi', () => jsonDocument(openApiDocument(endpoints))),
    page: (name: string) => {
      const make = Object.hasOwn(pages, name) ? pages[name] : undefined;
      return make === undefined ? guidePage(name) : kept(`page ${name}`, make);
    },
    asset: (name: string) => {
      const make = ASSETS.get(name);
      return make === undefined ? undefined : kept(`asset ${name}`, make);
    },
    problem: (code: ErrorCode) =>
      kept(`problem ${code}`, () => page(`/problems/${code}`, code, problemText(code))),
    events: () => kept('events', () => jsonDocument(eventCatalogue())),
    problems: () => kept('problems', () => page('/problems', 'Errors', problemsText())),
    llms: () => kept('llms', () => documentOf(MARKDOWN, llmsText(guides(), endpoints))),
  } satisfies Docs);
}

function indexText(guides: ReturnType<typeof readGuides>): string {
  const list = guides.map(({ title, href }) => `- [${title}](${href})`);
  return [
    '# Documentation',
    'Sluice takes payment operations over HTTP, makes them durable, settles them against a ' +
      'double-entry ledger, and tells you what became of them. Begin with ' +
      '[Getting started](/docs/getting-started): it ends with a first transfer.',
    '## Guides',
    list.join('\n'),
    '## Reference',
    [
      '- [Reference](/docs/reference) of every endpoint, to read and to try',
      '- [openapi.json](/openapi.json): the same for programs (OpenAPI 3.1)',
      '- [Events](/docs/events) that webhooks and streams bring, with JSON Schemas',
      '- [Errors](/problems): every code, what it means and what to do',
      '- [llms.txt](/llms.txt): for programs that read',
    ].join('\n'),
  ].join('\n\n');
}

/** Whether somebody who asks for a page about a code sits before a browser. */
export function wantsHtml(accept: string | undefined): boolean {
  return (accept ?? '').includes('text/html');
}
