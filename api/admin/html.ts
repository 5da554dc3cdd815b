import type { Reply } from '../http/reply.ts';

/** HTML that may be put into a page as it is. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | Html | readonly Html[];

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Escapes every value that is not `Html` already. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const text = strings.reduce((before, string, index) => {
    const part = parts[index - 1];
    return before + (part === undefined ? '' : textOf(part)) + string;
  });
  return new Html(text);
}

function textOf(part: Part): string {
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map((one) => one.text).join('');
  return String(part).replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}

const STYLE = `
  :root { color-scheme: light dark; --line: #8884; --soft: #8882; --accent: #0a7d5a; }
  body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1.5rem; }
  header { display: flex; gap: 1rem; align-items: baseline; border-bottom: 1px solid var(--line); }
  header h1 { font-size: 1.1rem; margin: 0; } header form { margin-left: auto; }
  h2 { font-size: 1rem; margin: 1.6rem 0 .4rem; }
  table { border-collapse: collapse; width: 100%; font-size: .9rem; }
  th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line);
    vertical-align: top; overflow-wrap: anywhere; }
  td.tight { white-space: nowrap; } header { padding-bottom: .5rem; }
  th.number, td.number { text-align: right; font-variant-numeric: tabular-nums; }
  pre { background: var(--soft); padding: .8rem; overflow: auto; border-radius: 6px; }
  .status { font-weight: 600; } .status.succeeded { color: var(--accent); }
  .status.rejected, .status.needs_attention, .error { color: #c0392b; }
  input { font: inherit; padding: .4rem .6rem; } button { font: inherit; padding: .4rem .9rem; }
  label { display: block; margin: .6rem 0 .2rem; }
`;

/** No scripts at all, no resources from anywhere, forms only to ourselves. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; " +
  "frame-ancestors 'none'";

interface Page {
  readonly title: string;
  readonly body: Html;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export function htmlReply({ title, body, status = 200, headers = {} }: Page): Reply {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} · Sluice</title>
        <style>
          ${new Html(STYLE)}
        </style>
      </head>
      <body>
        ${body}
      </body>
    </html>`;
  return {
    status,
    contentType: 'text/html; charset=utf-8',
    // Without a referrer browsers would hide from us where our own forms come from.
    headers: { 'Content-Security-Policy': POLICY, 'Referrer-Policy': 'same-origin', ...headers },
    text: page.text,
  };
}

/** After a POST, or to where the reader wants to be. */
export function redirect(to: string, headers: NonNullable<Reply['headers']> = {}): Reply {
  return {
    status: 303,
    contentType: 'text/plain; charset=utf-8',
    headers: { Location: to, ...headers },
    text: `See ${to}\n`,
  };
}
