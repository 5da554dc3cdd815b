import type { IncomingMessage } from 'node:http';

/** Whether a browser says that the request comes from a page of this host. */
export function isSameOrigin({ headers }: IncomingMessage): boolean {
  const { origin, host } = headers;
  return origin !== undefined && URL.canParse(origin) && new URL(origin).host === host;
}
