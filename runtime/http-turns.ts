import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { LIMITS } from '../config/limits.ts';

/** What one connection has asked for and not got yet. */
interface Line {
  underWay: number;
  readonly waiting: { readonly request: IncomingMessage; readonly response: ServerResponse }[];
}

/**
 * Bounds what one connection may ask for ahead of its answers. Node hands over every request that a
 * piece of input holds, thousands of them, and reads on: here a few run, the others wait for them,
 * and while many wait nothing more is read. Between two of them everybody else gets their turn.
 */
export function inTurns(serve: RequestListener): RequestListener {
  const lines = new WeakMap<Socket, Line>();

  const start = (line: Line, request: IncomingMessage, response: ServerResponse): void => {
    line.underWay += 1;
    response.once('close', () => {
      line.underWay -= 1;
      goOn(line, request.socket);
    });
    serve(request, response);
  };
  const goOn = (line: Line, socket: Socket): void => {
    if (socket.destroyed) line.waiting.length = 0; // nobody is there to be answered
    const next = line.waiting.shift();
    if (next === undefined) return;
    if (line.waiting.length === 0 && socket.isPaused()) socket.resume();
    start(line, next.request, next.response);
  };

  return (request, response) => {
    const { socket } = request;
    // The parser takes what follows for another protocol, though we have not changed to it.
    if (request.headers.upgrade !== undefined) response.shouldKeepAlive = false;
    const known = lines.get(socket);
    const line = known ?? { underWay: 0, waiting: [] };
    if (known === undefined) lines.set(socket, line);
    if (line.underWay < LIMITS.pipelinedMax) {
      start(line, request, response);
      return;
    }
    line.waiting.push({ request, response });
    // Once this piece of input is done with: Node reads on by itself at the end of every request.
    if (line.waiting.length === LIMITS.pipelinedWaitingMax) process.nextTick(() => socket.pause());
  };
}
