import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'socket.io';
import { z } from 'zod';
import { AppError } from '../../core/kernel/errors.ts';
import { createRequestIds } from '../../core/kernel/ids.ts';
import {
  PROBLEM_TYPE,
  problemHeaders,
  problemOf,
  problemText,
  statusOfCode,
} from '../http/problem.ts';
import { endWithProblem } from '../http/raw-problem.ts';
import { send } from '../http/send.ts';

const failureSchema = z.looseObject({ message: z.string() });

/**
 * Gives what Socket.IO's engine refuses a problem document, before it writes an answer of its own:
 * it announces a failure first, and leaves a response alone that has been written to.
 */
export function tellProblems({ engine }: Pick<Server, 'engine'>): void {
  const requestId = createRequestIds();
  const answer = (response: ServerResponse, error: AppError): void => {
    const correlationId = requestId();
    const text = problemText(problemOf(error, { instance: '/realtime/', correlationId }));
    const status = statusOfCode(error.code);
    const headers = problemHeaders(error);
    send(response, { status, contentType: PROBLEM_TYPE, headers, text }, correlationId);
  };
  engine.on('connection_error', (failure: { readonly req: EngineRequest }) => {
    const { req } = failure;
    const error = errorOf(failure);
    if (req.res === undefined || req.res === null) endWithProblem(req.socket, error);
    else answer(req.res, error);
  });
  engine.use((request: IncomingMessage, response: ServerResponse, next: () => void) => {
    // An upgrade, whose response is a stand-in, is a GET.
    if (['GET', 'POST', 'HEAD'].includes(request.method ?? '')) {
      next();
      return;
    }
    const context = { allow: 'GET, POST' };
    answer(response, new AppError('method_not_allowed', 'Use GET or POST here', { context }));
  });
}

/** The engine adds the response where it is not an upgrade. */
interface EngineRequest extends IncomingMessage {
  readonly res?: ServerResponse | null;
}

function errorOf(failure: unknown): AppError {
  const message = failureSchema.safeParse(failure).data?.message ?? 'Bad request';
  return new AppError('invalid_request', `Socket.IO cannot take this: ${message}`);
}
