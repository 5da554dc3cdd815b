import type { Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';
import type { AppError } from '../../core/kernel/errors.ts';
import { PROBLEM_TYPE, problemHeaders, problemOf, problemText } from './problem.ts';

/** Answers with a problem document where there is no response to write to, and hangs up. */
export function endWithProblem(socket: Socket, error: AppError): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const problem = problemOf(error, {});
  const text = problemText(problem);
  const headers = Object.entries({
    ...problemHeaders(error),
    'Content-Type': PROBLEM_TYPE,
    'Content-Length': String(Buffer.byteLength(text)),
    'Cache-Control': 'no-store',
    Connection: 'close',
  });
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? 'Error'}`,
      ...headers.map(([name, value]) => `${name}: ${value}`),
      '',
      text,
    ].join('\r\n'),
  );
}
