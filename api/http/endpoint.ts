import type { z } from 'zod';
import { present } from '../../core/kernel/assert.ts';
import { AppError, type ErrorCode } from '../../core/kernel/errors.ts';
import { type BaseScope, hasScope } from '../../core/access/scopes.ts';
import type { View } from '../contract/parts.ts';
import type { PublicServices } from '../services/public-services.ts';
import type { ServicesByTenant } from '../services/services.ts';
import { type BodySpec, readBody } from './body.ts';
import type { BodyBytes } from './body-bytes.ts';
import type { Exchange } from './exchange.ts';
import { preferencesOf } from './headers.ts';
import { inTime } from './in-time.ts';
import { parseInput } from './parse-input.ts';
import { queryReader } from './query.ts';
import type { Reply } from './reply.ts';
import { type RequestContext, contextOf } from './request-context.ts';

interface Input<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Whom it is for: clients with a key of a tenant, people who run the platform, anybody. */
export type Audience = 'client' | 'operator' | 'public';

/** What it counts as where there is so much of each. */
export type LimitClass = 'read' | 'write' | 'stream' | 'none';

/** Text of a media type, or of another one, or JSON by a schema: as whoever asks would like it. */
export interface TextOutput {
  readonly mediaType: string;
  readonly or?: readonly string[];
  readonly json?: z.ZodType;
}

/** JSON by a schema; null: no body. */
export type Output = z.ZodType | TextOutput | null;

/** What is answered, by status. Refusals are problem documents, and not among them. */
export type Outputs = Readonly<Record<number, Output>>;

/** What the body of an answer may be. */
export type BodyOf<O extends Outputs> = {
  [S in keyof O]: O[S] extends z.ZodType
    ? View<O[S]>
    : O[S] extends { readonly json: z.ZodType }
      ? View<O[S]['json']>
      : never;
}[keyof O];

/** Headers that it looks at, beside those of every endpoint. */
export interface HeaderSpec {
  readonly idempotencyKey?: 'required' | 'optional';
  /** Preferences (RFC 7240) that it knows. */
  readonly prefer?: readonly ('wait' | 'return')[];
  readonly lastEventId?: true;
}

export interface SharedSpec {
  /** `/v1/users/:userId` */
  readonly path: string;
  /** Its name in the reference and in clients; by default from method and path. */
  readonly id?: string;
  /** One line for the documentation. */
  readonly summary: string;
  /** By default from the method. */
  readonly limit?: LimitClass;
}

/** The operation that a path of its own asks for, and the field of its input that `:id` states. */
export interface Alias {
  readonly type: string;
  readonly idField?: string;
}

interface EndpointSpec<P, Q, B, O extends Outputs> extends SharedSpec {
  readonly method: Method;
  readonly scope: BaseScope;
  /** Whoever may ask for some type gets in: the handler looks at each one that is asked for. */
  readonly isByType?: true;
  readonly audience?: Exclude<Audience, 'public'>;
  readonly input: {
    readonly params: z.ZodType<P>;
    readonly query: z.ZodType<Q>;
    readonly body: BodySpec<B>;
  };
  readonly output: O;
  readonly headers?: HeaderSpec;
  readonly alias?: Alias;
  /** Codes that it answers with, beside those that follow from the rest. */
  readonly errors?: readonly ErrorCode[];
  readonly handle: (
    input: Input<P, Q, B>,
    request: RequestContext,
  ) => Promise<Reply<BodyOf<O>>> | Reply<BodyOf<O>>;
}

/** What the work of every request needs. */
export interface EndpointDeps {
  readonly services: ServicesByTenant;
  readonly pages: PublicServices;
  /** Of the server, over all of its requests. */
  readonly bodyBytes: BodyBytes;
}

/** An endpoint with its types closed over: what the list of them holds. */
export interface Endpoint {
  readonly method: Method;
  readonly path: string;
  readonly id: string;
  /** The area of its path, by which the reference is divided. */
  readonly tag: string;
  readonly summary: string;
  readonly scope: BaseScope | 'none';
  readonly isByType: boolean;
  readonly audience: Audience;
  readonly limit: LimitClass;
  readonly input: EndpointInput;
  readonly output: Outputs;
  readonly headers: HeaderSpec;
  readonly errors: readonly ErrorCode[];
  readonly alias: Alias | undefined;
  /**
   * Reads the input and does the work. The principal has been found by then.
   *
   * @throws AppError for what is wrong with the request, and what the handler throws.
   */
  run(one: Exchange, deps: EndpointDeps): Promise<Reply> | Reply;
}

/** An endpoint that needs a key. */
export interface KeyedEndpoint extends Endpoint {
  /**
   * The same from inside, of an endpoint without a body, with the rights of a request to another one.
   *
   * @throws AppError `forbidden`, and as above.
   */
  call(given: InsideInput, context: RequestContext): Promise<Reply>;
}

/** Parameters as a request would state them. */
interface InsideInput {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
}

export interface EndpointInput {
  readonly params: z.ZodType;
  readonly query: z.ZodType;
  readonly body: BodySpec<unknown>;
}

/**
 * Declares an endpoint: parsed, typed input in, data out; the handler never sees the response. One
 * file and one line in `routes/index.ts` each.
 */
export function defineEndpoint<P, Q, B, O extends Outputs>(
  spec: EndpointSpec<P, Q, B, O>,
): KeyedEndpoint {
  const { method, scope, audience = 'client', input, output, alias, handle } = spec;
  const readQuery = queryReader(input.query);
  const {
    headers = {},
    errors = [],
    isByType = false,
    limit = method === 'GET' ? 'read' : 'write',
  } = spec;
  return Object.freeze({
    ...factsOf(method, spec),
    ...{ scope, isByType, audience, limit, input, output, headers, errors, alias },
    run: async (one: Exchange, { services, bodyBytes }: EndpointDeps): Promise<Reply> => {
      const { request } = one;
      const params = parseInput(input.params, one.params, 'path');
      const query = readQuery(request.url ?? '');
      const taken = takeBodyBytes(bodyBytes);
      try {
        const body = await readBody(request, input.body, taken.take);
        const found = services.of(present(one.principal, 'who asks').tenant.tenantId);
        const own = found instanceof Promise ? await inTime(found, 0) : found; // open already, nearly always
        const answer = handle({ params, query, body }, contextOf(one, own));
        return await inTime(answer, preferencesOf(request).waitSeconds);
      } finally {
        taken.giveBack();
      }
    },
    call: async (given: InsideInput, context: RequestContext): Promise<Reply> => {
      if (!hasScope(context.scopes, scope)) {
        throw new AppError('forbidden', `The key needs the scope "${scope}"`, {
          context: { scope },
        });
      }
      const params = parseInput(input.params, given.params, 'path');
      const query = parseInput(input.query, given.query, 'query');
      return handle({ params, query, body: input.body.parse('', '') }, context);
    },
  });
}

/** 200 with a JSON document. */
export function found<B>(body: B): Reply<B> {
  return { status: 200, body };
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

export function factsOf(method: Method, { path, id = idOf(method, path), summary }: SharedSpec) {
  return { method, path, id, tag: tagOf(path), summary };
}

const VERBS = { GET: 'get', POST: 'post', PUT: 'put', PATCH: 'patch', DELETE: 'delete' } as const;

/** `GET /v1/wallets/:id/balance` is `getWalletsIdBalance`. */
function idOf(method: Method, path: string): string {
  const words = path
    .replace(/^\/v1\//, '/')
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '');
  return `${VERBS[method]}${words.map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`).join('')}`;
}

function tagOf(path: string): string {
  return /^\/v1\/([a-z-]+)/.exec(path)?.[1] ?? 'platform';
}
