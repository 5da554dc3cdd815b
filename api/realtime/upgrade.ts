import { IncomingMessage } from 'node:http';

/** Where Socket.IO listens; everything below it is its own. */
export const REALTIME_PATH = '/realtime';

const asked = new WeakSet<IncomingMessage>();

/**
 * A request that counts as an upgrade only where we have something to change to: websockets of
 * Socket.IO. For everything else the header is ignored and the request answered, as RFC 9110 (7.8)
 * has it. Node asks whether `upgrade` is set, and by itself sets it for any `Upgrade` header.
 */
export class ApiRequest extends IncomingMessage {
  set upgrade(isAsked: boolean | null) {
    if (isAsked === true) asked.add(this);
  }

  get upgrade(): boolean {
    return asked.has(this) && isWebsocket(this);
  }
}

function isWebsocket({ url = '', headers, method }: IncomingMessage): boolean {
  const isOurs = method === 'GET' && url.startsWith(`${REALTIME_PATH}/`);
  return isOurs && headers.upgrade?.toLowerCase() === 'websocket';
}
