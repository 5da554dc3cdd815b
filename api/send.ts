import type { ServerResponse } from 'node:http';
import type { Reply } from './endpoint.ts';

/** On every answer. Answers are private to a key, and no browser has to render any of them. */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Strict-Transport-Security': 'max-age=31536000',
};

const JSON_TYPE = 'application/json';

/** Writes an answer in one go. Does nothing when the client has gone or was answered before. */
export function send(response: ServerResponse, reply: Reply, correlationId: string): void {
  if (response.headersSent || response.destroyed) return;
  if (reply.status === 204) {
    response.writeHead(204, { ...SECURITY_HEADERS, 'X-Correlation-Id': correlationId }).end();
    return;
  }
  if (reply.stream !== undefined) {
    startStream(response, reply, correlationId);
    return;
  }
  const text = reply.text ?? JSON.stringify(reply.body);
  response.writeHead(reply.status, {
    ...SECURITY_HEADERS,
    'Content-Type': reply.contentType ?? JSON_TYPE,
    'Content-Length': Buffer.byteLength(text),
    'X-Correlation-Id': correlationId,
    ...reply.headers,
  });
  response.end(text);
}

function startStream(response: ServerResponse, reply: Reply, correlationId: string): void {
  response.writeHead(reply.status, {
    ...SECURITY_HEADERS,
    'Content-Type': reply.contentType ?? JSON_TYPE,
    'X-Correlation-Id': correlationId,
    ...reply.headers,
  });
  if (response.req.method === 'HEAD') response.end();
  else reply.stream?.(response);
}
