import type { Endpoint } from '../http/endpoint.ts';
import type { Guide } from './guides.ts';

/** `/llms.txt` (llmstxt.org): where a program that reads finds what it needs. */
export function llmsText(guides: readonly Guide[], endpoints: readonly Endpoint[]): string {
  const links = guides.map(
    ({ href, title, text }) => `- [${title}](${href}.md): ${firstLine(text)}`,
  );
  const calls = endpoints.map(({ method, path, summary }) => `- \`${method} ${path}\`: ${summary}`);
  return [
    '# Sluice',
    '> Payment operations over HTTP: users, wallets, transfers, holds, deposits, withdrawals. Writes ' +
      'need an `Idempotency-Key` and answer `202` at once, or the outcome with `Prefer: wait=5`. ' +
      'Amounts are minor units as decimal strings. Errors are RFC 9457 problem documents with ' +
      'stable codes.',
    '## Guides',
    links.join('\n'),
    '## Reference',
    [
      '- [OpenAPI 3.1](/openapi.json): every endpoint with its schemas, headers and error codes',
      '- [Events](/docs/events.json): what webhooks and streams bring, with JSON Schemas',
      '- [Error codes](/problems): each at `/problems/<code>`, as JSON or as a page',
    ].join('\n'),
    '## Endpoints',
    calls.join('\n'),
  ]
    .join('\n\n')
    .concat('\n');
}

/** The first sentence after the heading. */
function firstLine(text: string): string {
  const [, , ...lines] = text.split('\n');
  return (
    lines
      .join(' ')
      .trim()
      .split(/(?<=\.) /)[0] ?? ''
  );
}
