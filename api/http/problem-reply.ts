import type { IncomingMessage } from 'node:http';
import type { Logger } from '../../core/telemetry/logger.ts';
import type { Metrics } from '../../core/telemetry/metrics.ts';
import { pathOf } from './path.ts';
import {
  PROBLEM_TYPE,
  clientErrorOf,
  operationIdOf,
  problemHeaders,
  problemOf,
  problemText,
  statusOfCode,
} from './problem.ts';
import type { Reply } from './reply.ts';

const INSTANCE_CHARS_MAX = 500;

/** A request that was refused; it gets an id where the one that it brought is not usable. */
interface Refused {
  readonly request: IncomingMessage;
  correlationId: string;
}

/** The answer to a request that was refused, or that we failed. */
export function replyOf(
  deps: { readonly logger: Logger; readonly metrics: Metrics; readonly requestId: () => string },
  thrown: unknown,
  one: Refused,
): Reply {
  const error = clientErrorOf(thrown);
  if (one.correlationId === '') one.correlationId = deps.requestId();
  const { request, correlationId } = one;
  const instance = pathOf(request).slice(0, INSTANCE_CHARS_MAX);
  const operationId = operationIdOf(error);
  deps.metrics.refused.inc({ code: error.code });
  // Only what is our fault is worth a line; the rest is counted.
  const level = error.kind === 'internal' ? 'error' : 'debug';
  deps.logger[level]({ err: thrown, code: error.code, correlationId }, 'request.failed');
  return {
    status: statusOfCode(error.code),
    contentType: PROBLEM_TYPE,
    headers: problemHeaders(error),
    text: problemText(
      problemOf(error, {
        instance,
        correlationId,
        ...(operationId !== undefined && { operationId }),
      }),
    ),
  };
}
