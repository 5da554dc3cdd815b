import { z } from 'zod';
import { AppError, ERRORS, isErrorCode } from '../../core/kernel/errors.ts';
import type { View } from '../contract/parts.ts';
import { codeSchema, codesSchema, eventsSchema, openApiSchema } from '../contract/platform.ts';
import { wantsHtml } from '../docs/docs.ts';
import { helpOf } from '../docs/help.ts';
import { REFERENCE_POLICY } from '../docs/reference.ts';
import { type Document, documentReply } from '../http/document.ts';
import { type Endpoint, found } from '../http/endpoint.ts';
import { noParams } from '../http/list.ts';
import { anyQuery, definePage } from '../http/page.ts';
import { statusOfCode } from '../http/problem.ts';
import type { Reply } from '../http/reply.ts';

const plain = { params: noParams, query: anyQuery };
const html = { mediaType: 'text/html' };

/** No scripts, nothing from elsewhere. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; " +
  "frame-ancestors 'none'";

type Incoming = Parameters<typeof documentReply>[1];

function pageReply(
  document: Document | undefined,
  incoming: Incoming,
  policy = POLICY,
): Reply<never> {
  if (document === undefined) throw new AppError('not_found', 'There is no such page');
  return documentReply(document, incoming, { 'Content-Security-Policy': policy });
}

const openApi = definePage({
  path: '/openapi.json',
  id: 'getOpenApi',
  summary: 'This reference, as OpenAPI 3.1',
  input: plain,
  output: { 200: openApiSchema, 304: null },
  answer: ({ docs }, { incoming }) => documentReply(docs.openApi(), incoming),
});

const index = definePage({
  path: '/docs',
  summary: 'The documentation: guides, then the reference',
  input: plain,
  output: { 200: html, 304: null },
  answer: ({ docs }, { incoming }) => pageReply(docs.page(''), incoming),
});

const reference = definePage({
  path: '/docs/reference',
  summary: 'Every endpoint, to read and to try',
  input: plain,
  output: { 200: html, 304: null },
  answer: ({ docs }, { incoming }) => pageReply(docs.page('reference'), incoming, REFERENCE_POLICY),
});

const asset = definePage({
  path: '/docs/assets/:name',
  summary: 'What the reference is shown by',
  input: { params: z.object({ name: z.string() }), query: anyQuery },
  output: { 200: { mediaType: 'text/javascript', or: ['text/css'] }, 304: null },
  errors: ['not_found'],
  answer: ({ docs }, { params: { name }, incoming }) => pageReply(docs.asset(name), incoming),
});

const events = definePage({
  path: '/docs/events.json',
  id: 'getEvents',
  summary: 'Every event that webhooks and streams bring, with JSON Schemas',
  input: plain,
  output: { 200: eventsSchema, 304: null },
  answer: ({ docs }, { incoming }) => documentReply(docs.events(), incoming),
});

const page = definePage({
  path: '/docs/:page',
  summary: 'A guide (`<name>`, or `<name>.md` for its text), or the events (`events`)',
  input: { params: z.object({ page: z.string() }), query: anyQuery },
  output: {
    200: { mediaType: 'text/html', or: ['text/markdown'] },
    304: null,
  },
  errors: ['not_found'],
  answer: ({ docs }, { params, incoming }) => pageReply(docs.page(params.page), incoming),
});

const llms = definePage({
  path: '/llms.txt',
  summary: 'Where a program that reads finds what it needs',
  input: plain,
  output: { 200: { mediaType: 'text/markdown' }, 304: null },
  answer: ({ docs }, { incoming }) => documentReply(docs.llms(), incoming),
});

const problems = definePage({
  path: '/problems',
  summary: 'All error codes: a page for a browser, JSON for others',
  input: plain,
  output: { 200: { mediaType: 'text/html', json: codesSchema }, 304: null },
  answer: ({ docs }, { incoming }) =>
    wantsHtml(incoming.headers.accept)
      ? pageReply(docs.problems(), incoming)
      : found({ items: Object.keys(ERRORS).filter(isErrorCode).map(codeView) }),
});

const problem = definePage({
  path: '/problems/:code',
  summary: 'What an error code means: a page for a browser, JSON for others',
  input: { params: z.object({ code: z.string() }), query: anyQuery },
  output: { 200: { mediaType: 'text/html', json: codeSchema }, 304: null },
  errors: ['not_found'],
  answer: ({ docs }, { params: { code }, incoming }) => {
    if (!isErrorCode(code)) throw new AppError('not_found', 'There is no such error code');
    return wantsHtml(incoming.headers.accept)
      ? pageReply(docs.problem(code), incoming)
      : found(codeView(code));
  },
});

/** The documentation: one line each. */
export const DOCS_PAGES: readonly Endpoint[] = [
  openApi,
  index,
  reference,
  asset,
  events,
  page,
  llms,
  problems,
  problem,
];

function codeView(code: keyof typeof ERRORS): View<typeof codeSchema> {
  const { title, kind, retry } = ERRORS[code];
  return {
    type: `/problems/${code}`,
    ...{ code, title, status: statusOfCode(code), kind, retryable: retry !== 'never' },
    ...helpOf(code),
  };
}
