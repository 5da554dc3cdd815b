import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { AppError } from '../../core/kernel/errors.ts';
import type { Principal } from '../../core/access/api-key.ts';
import { type BaseScope, type Scope, hasScope, hasSomeType } from '../../core/access/scopes.ts';
import type { Meter } from '../../core/access/rate-limiter.ts';
import type { TenantScope } from '../../core/tenants/tenant.ts';
import { type BodySpec, readBody } from './body.ts';
import type { BodyBytes } from './body-bytes.ts';
import {
  type Preferences,
  idempotencyKeyOf,
  lastEventIdOf,
  preferencesOf,
  traceparentOf,
} from './headers.ts';
import { inTime } from './in-time.ts';
import { parseInput } from './parse-input.ts';
import type { Reply } from './reply.ts';
import type { ApiServices } from '../services/services.ts';

/** What a handler knows of the request besides its parsed input. */
export interface RequestContext {
  readonly services: ApiServices;
  readonly tenant: TenantScope;
  /** The id of the API key: who is named in audits. */
  readonly keyId: string;
  /** What the key may do: `scope` of the endpoint is checked, what follows from the input is not. */
  readonly scopes: readonly Scope[];
  /** Of a key that ends. */
  readonly expiresAt: Date | undefined;
  readonly correlationId: string;
  readonly traceparent: string | undefined;
  /** @throws AppError unless the `Idempotency-Key` header is there and well-formed. */
  readonly idempotencyKey: () => string;
  /** The same where it need not be there. */
  readonly idempotencyKeyIfAny: () => string | undefined;
  readonly preferences: () => Preferences;
  /** @throws AppError when there is a `Last-Event-ID` header that we cannot have given. */
  readonly lastEventId: () => string | undefined;
  /** Aborts when the client goes away, and when its answer has ended. */
  readonly signal: () => AbortSignal;
  /**
   * Takes that much of the caller's rates besides the one that every request takes.
   *
   * @throws AppError `rate_limited`.
   */
  readonly charge: (tokens: number) => Promise<void>;
  /** Of whoever is connected to us: the client, or a proxy. */
  readonly address: () => string | undefined;
}

interface Input<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

interface EndpointSpec<P, Q, B> {
  readonly method: Method;
  /** Express path, `/v1/users/:userId`. */
  readonly path: string;
  readonly scope: BaseScope;
  /** Whoever may ask for some type gets in: the handler looks at each one that is asked for. */
  readonly isByType?: true;
  /** It takes nothing of the rates of its caller: a connection that stays has limits of its own. */
  readonly isUnmetered?: true;
  /** One line for the documentation. */
  readonly summary: string;
  readonly input: {
    readonly params: z.ZodType<P>;
    readonly query: z.ZodType<Q>;
    readonly body: BodySpec<B>;
  };
  readonly handle: (input: Input<P, Q, B>, request: RequestContext) => Promise<Reply> | Reply;
}

/** A request as the server has it, before anything is parsed. */
export interface RawRequest {
  readonly incoming: IncomingMessage;
  readonly params: unknown;
  readonly correlationId: string;
  readonly principal: Principal;
  /** Undefined: nothing limits it. */
  readonly meter: Meter | undefined;
  readonly services: ApiServices;
  readonly signal: () => AbortSignal;
  /** Of the server, over all of its requests. */
  readonly bodyBytes: BodyBytes;
}

/** An endpoint with its types closed over: what the list of them holds. */
export interface Endpoint extends Pick<
  EndpointSpec<unknown, unknown, unknown>,
  'method' | 'path' | 'scope' | 'summary'
> {
  readonly isUnmetered: boolean;
  readonly isByType: boolean;
  /** Media types of its body; none: it has none. */
  readonly accepts: readonly string[];
  /** @throws AppError for what is wrong with the request, and what the handler throws. */
  run(request: RawRequest): Promise<Reply>;
}

/**
 * Declares an endpoint: parsed, typed input in, data out; the handler never sees the response. One
 * file and one line in `routes/index.ts` each.
 */
export function defineEndpoint<P, Q, B>(spec: EndpointSpec<P, Q, B>): Endpoint {
  const { method, path, scope, summary, input, handle, isByType = false } = spec;
  return Object.freeze({
    method,
    path,
    scope,
    summary,
    isUnmetered: spec.isUnmetered ?? false,
    isByType,
    accepts: input.body.accepts,
    run: async (request: RawRequest): Promise<Reply> => {
      const { incoming, principal, correlationId, services, signal } = request;
      if (!hasScope(principal.scopes, scope) && !(isByType && hasSomeType(principal.scopes))) {
        throw new AppError('forbidden', `The key needs the scope "${scope}"`, {
          context: { scope },
        });
      }
      const params = parseInput(input.params, request.params, 'path');
      const query = parseInput(input.query, queryOf(incoming.url ?? ''), 'query');
      const taken = takeBodyBytes(request.bodyBytes);
      try {
        const body = await readBody(incoming, input.body, taken.take);
        const answer = handle(
          { params, query, body },
          {
            services,
            tenant: principal.tenant,
            keyId: principal.keyId,
            scopes: principal.scopes,
            expiresAt: principal.expiresAt,
            correlationId,
            traceparent: traceparentOf(incoming),
            idempotencyKey: () => idempotencyKeyOf(incoming),
            idempotencyKeyIfAny: () =>
              incoming.headers['idempotency-key'] === undefined
                ? undefined
                : idempotencyKeyOf(incoming),
            preferences: () => preferencesOf(incoming),
            lastEventId: () => lastEventIdOf(incoming),
            signal,
            charge: async (tokens) => request.meter?.take(tokens),
            address: () => incoming.socket.remoteAddress,
          },
        );
        return await inTime(answer, preferencesOf(incoming).waitSeconds);
      } finally {
        taken.giveBack();
      }
    },
  });
}

/** For one request: what it takes, and all of it back at its end. */
function takeBodyBytes(bodyBytes: BodyBytes): {
  readonly take: (bytes: number) => void;
  readonly giveBack: () => void;
} {
  let own = 0;
  return {
    take: (bytes) => {
      bodyBytes.take(bytes);
      own += bytes;
    },
    giveBack: () => {
      bodyBytes.giveBack(own);
    },
  };
}

const NO_QUERY: Readonly<Record<string, string | readonly string[]>> = Object.freeze({});

/** The query by name; a name that is there twice has a list, which no schema takes for a text. */
export function queryOf(url: string): Readonly<Record<string, string | readonly string[]>> {
  const start = url.indexOf('?');
  if (start < 0) return NO_QUERY;
  const search = new URLSearchParams(url.slice(start + 1));
  const entries = [...new Set(search.keys())].map((name): [string, string | string[]] => {
    const values = search.getAll(name);
    const [only] = values;
    return [name, values.length === 1 && only !== undefined ? only : values];
  });
  return Object.fromEntries(entries);
}

/** 200 with a JSON document. */
export function found(body: unknown): Reply {
  return { status: 200, body };
}
