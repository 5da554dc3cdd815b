import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Document, documentOf } from '../http/document.ts';

const require = createRequire(import.meta.url);

const JAVASCRIPT = 'text/javascript; charset=utf-8';

/** Shows the reference, and says so to whoever waits for it. */
const START = `
window.addEventListener('load', () => {
  SwaggerUIBundle({
    url: '/openapi.json',
    domNode: document.getElementById('reference'),
    presets: [SwaggerUIBundle.presets.apis],
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    docExpansion: 'list',
    filter: true,
    persistAuthorization: false,
    tryItOutEnabled: false,
    validatorUrl: null,
    onComplete: () => document.body.setAttribute('data-ready', ''),
  });
});
`;

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <link rel="icon" href="data:," />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Reference · Sluice</title>
    <link rel="stylesheet" href="/docs/assets/reference.css" />
    <link rel="stylesheet" href="/docs/assets/page.css" />
    <script src="/docs/assets/reference.js" defer></script>
    <script src="/docs/assets/start.js" defer></script>
  </head>
  <body>
    <header class="top"><a href="/docs">Guides</a> <a href="/docs/events">Events</a>
      <a href="/problems">Errors</a> <a href="/openapi.json">openapi.json</a></header>
    <div id="reference"></div>
    <noscript>The reference needs JavaScript; <a href="/openapi.json">openapi.json</a> does not.</noscript>
  </body>
</html>
`;

const STYLE = `
body { margin: 0; font-family: system-ui, sans-serif; background: #fff; }
.top { display: flex; gap: 1.2rem; flex-wrap: wrap; padding: .8rem 1.2rem; border-bottom: 1px solid #ddd; }
.top a { color: #0a7d5a; text-decoration: none; }
@media (max-width: 48rem) { .swagger-ui .opblock .opblock-summary-path { max-width: 100%; }
  .swagger-ui .opblock-summary { flex-wrap: wrap; } .swagger-ui .wrapper { padding: 0 10px; }
  .swagger-ui .parameters-col_name { width: auto; } .swagger-ui table { display: block; overflow-x: auto; } }
`;

/** Nothing from elsewhere. The bundle sets styles on elements, and has its icons as data. */
export const REFERENCE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; " +
  "frame-ancestors 'none'";

export function referencePage(): Document {
  return documentOf('text/html; charset=utf-8', PAGE);
}

/** What the page loads, by name: a bundle that npm keeps, and a few lines of our own. */
export const ASSETS: ReadonlyMap<string, () => Document> = new Map([
  [
    'reference.js',
    () =>
      documentOf(JAVASCRIPT, readFileSync(require.resolve('swagger-ui-dist/swagger-ui-bundle.js'))),
  ],
  [
    'reference.css',
    () =>
      documentOf(
        'text/css; charset=utf-8',
        readFileSync(require.resolve('swagger-ui-dist/swagger-ui.css')),
      ),
  ],
  ['start.js', () => documentOf(JAVASCRIPT, START)],
  ['page.css', () => documentOf('text/css; charset=utf-8', STYLE)],
]);
