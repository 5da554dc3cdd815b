import { Html, html } from '../admin/html.ts';

/** A page of the documentation, by the part of its address behind `/docs/`. */
export interface PageLink {
  readonly href: string;
  readonly title: string;
}

const STYLE = `
  :root { color-scheme: light dark; --line: #8884; --soft: #8881; --accent: #0a7d5a; }
  @media (prefers-color-scheme: dark) { :root { --accent: #4ecf9f; } }
  * { box-sizing: border-box; }
  body { font: 16px/1.6 system-ui, sans-serif; margin: 0; }
  a { color: var(--accent); } a:focus-visible { outline: 2px solid var(--accent); }
  .top { border-bottom: 1px solid var(--line); padding: .8rem 1.2rem; display: flex; gap: 1.2rem;
    flex-wrap: wrap; align-items: baseline; }
  .top strong { font-size: 1.1rem; } .top a { text-decoration: none; }
  .whole { display: grid; grid-template-columns: 15rem minmax(0, 1fr); max-width: 76rem;
    margin: 0 auto; }
  nav.side { padding: 1.2rem; border-right: 1px solid var(--line); font-size: .95rem; }
  nav.side ol { list-style: none; margin: 0; padding: 0; } nav.side li { margin: .35rem 0; }
  nav.side a { text-decoration: none; } nav.side a[aria-current] { font-weight: 650; }
  main { padding: 1.2rem 2rem 4rem; max-width: 52rem; }
  h1 { font-size: 1.6rem; line-height: 1.25; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
  h3 { font-size: 1rem; margin-top: 1.6rem; }
  pre { background: var(--soft); padding: .9rem 1rem; overflow-x: auto; border-radius: 6px;
    border: 1px solid var(--line); font-size: .87rem; line-height: 1.5; }
  code { font-family: ui-monospace, monospace; font-size: .9em; }
  :not(pre) > code { background: var(--soft); padding: .1em .3em; border-radius: 4px;
    overflow-wrap: anywhere; }
  .wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .93rem; }
  th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid var(--line);
    vertical-align: top; }
  dt { font-weight: 600; margin-top: 1rem; } dd { margin: .2rem 0 0; }
  @media (max-width: 48rem) {
    .whole { display: block; } main { padding: 1rem 1.2rem 3rem; }
    nav.side { border-right: 0; border-bottom: 1px solid var(--line); }
    nav.side ol { display: flex; flex-wrap: wrap; gap: .2rem 1rem; }
  }
`;

interface Page {
  readonly title: string;
  readonly body: Html;
  /** The address of the page itself. */
  readonly at: string;
  readonly nav: readonly PageLink[];
}

/** A whole page: what every one has around what it says. No scripts. */
export function layout({ title, body, at, nav }: Page): string {
  const links = nav.map(({ href, title: name }) =>
    href === at
      ? html`<li><a href="${href}" aria-current="page">${name}</a></li>`
      : html`<li><a href="${href}">${name}</a></li>`,
  );
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <link rel="icon" href="data:," />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} · Sluice</title>
        <style>
          ${new Html(STYLE)}
        </style>
      </head>
      <body>
        <header class="top">
          <strong><a href="/docs">Sluice</a></strong>
          <a href="/docs/reference">Reference</a>
          <a href="/docs/events">Events</a>
          <a href="/problems">Errors</a>
          <a href="/openapi.json">openapi.json</a>
        </header>
        <div class="whole">
          <nav class="side" aria-label="Guides">
            <ol>
              ${links}
            </ol>
          </nav>
          <main>${body}</main>
        </div>
      </body>
    </html> `.text;
}
