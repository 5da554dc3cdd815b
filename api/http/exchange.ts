import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Principal } from '../../core/access/api-key.ts';
import type { Meter } from '../../core/access/rate-limiter.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import type { Logger } from '../../core/telemetry/logger.ts';
import type { Metrics } from '../../core/telemetry/metrics.ts';
import type { Span } from '../../core/telemetry/tracer.ts';
import type { Reply } from './reply.ts';
import { replyOf } from './problem-reply.ts';
import { send } from './send.ts';

/** One request on its way through. The stages fill in what they find out about it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The pattern of its path: a label, so never the path itself. */
  readonly route: string;
  /** What the path states. */
  readonly params: unknown;
  readonly startedMs: number;
  /** Empty until the first stage has found or made one. */
  correlationId: string;
  /** Who asks; undefined where nobody has to say. */
  principal: Principal | undefined;
  /** Its span, where tracing is on: what it begins is a part of that. */
  span?: Span;
  /** The rates of whoever asks; undefined: nothing limits it. */
  meter: Meter | undefined;
}

/**
 * A step that requests take on their way to the work and back. `before`: in order, until one
 * throws, which refuses the request. `after`: may add to the answer, of a refusal as well. `done`:
 * once the answer is out. Without a promise nobody waits.
 */
export interface Stage {
  readonly name: string;
  readonly before?: (one: Exchange) => Promise<void> | undefined;
  readonly after?: (one: Exchange, reply: Reply) => Reply;
  readonly done?: (one: Exchange, reply: Reply, thrown: unknown) => void;
}

export type Work = (one: Exchange) => Promise<Reply> | Reply;

/** What answering needs, besides what the stages and the work do. */
export interface ExchangeDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** A correlation id for a request that brings none. */
  readonly requestId: () => string;
}

/** Answers a request whose path has these parameters. Never rejects. */
export type Handler = (
  request: IncomingMessage,
  response: ServerResponse,
  params: unknown,
) => Promise<void>;

/** What a stage has hooks for is looked at once: where it has nothing to do it costs nothing. */
export function createHandler(
  deps: ExchangeDeps,
  route: string,
  { stages, work }: { readonly stages: readonly Stage[]; readonly work: Work },
): Handler {
  const before = stages.flatMap((stage) => stage.before ?? []);
  const after = stages.flatMap((stage) => stage.after ?? []);
  const done = stages.flatMap((stage) => stage.done ?? []);

  return async (request, response, params) => {
    const one: Exchange = {
      request,
      response,
      route,
      params,
      startedMs: deps.clock.monotonicMs(),
      correlationId: '',
      principal: undefined,
      meter: undefined,
    };
    let thrown: unknown;
    let reply: Reply;
    try {
      for (const step of before) {
        const waiting = step(one);
        if (waiting !== undefined) await waiting;
      }
      reply = await work(one);
    } catch (error) {
      thrown = error;
      reply = replyOf(deps, error, one);
    }
    try {
      for (const step of after) reply = step(one, reply);
      send(response, reply, one.correlationId);
    } catch (err) {
      deps.logger.error({ err, route, correlationId: one.correlationId }, 'request.answer.failed');
      response.destroy();
    }
    for (const step of done) step(one, reply, thrown);
  };
}
