import type { ServerResponse } from 'node:http';
import type { Reply } from './reply.ts';

/** On every answer. Answers are private to a key, and no browser has to render any of them. */
const SECURITY_HEADERS = Object.entries({
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Strict-Transport-Security': 'max-age=31536000',
});

const JSON_TYPE = 'application/json';

/** Writes an answer in one go. Does nothing when the client has gone or was answered before. */
export function send(response: ServerResponse, reply: Reply, correlationId: string): void {
  if (response.headersSent || response.destroyed) return;
  if (reply.status === 204 || reply.status === 304) {
    response.writeHead(reply.status, headersOf(reply, correlationId)).end();
    return;
  }
  if (reply.stream !== undefined) {
    startStream(response, reply, correlationId);
    return;
  }
  const text = reply.text ?? JSON.stringify(reply.body);
  const headers = headersOf(reply, correlationId);
  headers.push('Content-Type', reply.contentType ?? JSON_TYPE);
  headers.push('Content-Length', String(Buffer.byteLength(text)));
  response.writeHead(reply.status, headers).end(text);
}

function startStream(response: ServerResponse, reply: Reply, correlationId: string): void {
  const headers = headersOf(reply, correlationId);
  headers.push('Content-Type', reply.contentType ?? JSON_TYPE);
  response.writeHead(reply.status, headers);
  if (response.req.method === 'HEAD') response.end();
  else reply.stream?.(response);
}

/**
 * Names and values in turn, which Node takes as they are: merging objects of this size costs twenty
 * times as much. A reply's own headers stand before ours of the same name.
 */
function headersOf({ headers: own = {} }: Reply, correlationId: string): string[] {
  const list = ['X-Correlation-Id', correlationId];
  for (const [name, value] of SECURITY_HEADERS) {
    if (!Object.hasOwn(own, name)) list.push(name, value);
  }
  for (const [name, value] of Object.entries(own)) {
    for (const one of typeof value === 'string' ? [value] : value) list.push(name, one);
  }
  return list;
}
