import { setMaxListeners } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Scope } from '../../core/access/scopes.ts';
import { present } from '../../core/kernel/assert.ts';
import type { TenantScope } from '../../core/tenants/tenant.ts';
import type { ApiServices } from '../services/services.ts';
import type { Exchange } from './exchange.ts';
import {
  type Preferences,
  idempotencyKeyOf,
  ifMatchOf,
  lastEventIdOf,
  preferencesOf,
  traceparentOf,
} from './headers.ts';

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
  /** @throws AppError when there is an `If-Match` header that we cannot have given. */
  readonly ifMatch: () => number | undefined;
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

export function contextOf(one: Exchange, services: ApiServices): RequestContext {
  const { request, response, correlationId } = one;
  const { tenant, keyId, scopes, expiresAt } = present(one.principal, 'who asks');
  let gone: AbortSignal | undefined;
  return {
    services,
    tenant,
    keyId,
    scopes,
    expiresAt,
    correlationId,
    traceparent: one.span?.traceparent ?? traceparentOf(request),
    idempotencyKey: () => idempotencyKeyOf(request),
    idempotencyKeyIfAny: () =>
      request.headers['idempotency-key'] === undefined ? undefined : idempotencyKeyOf(request),
    preferences: () => preferencesOf(request),
    ifMatch: () => ifMatchOf(request),
    lastEventId: () => lastEventIdOf(request),
    signal: () => (gone ??= goneSignal(response)),
    charge: async (tokens) => one.meter?.take(tokens),
    address: () => request.socket.remoteAddress,
  };
}

/** Aborts when the connection closes before the answer is out. */
function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  setMaxListeners(0, gone.signal); // a bulk request waits for every one of its items
  if (response.closed || response.destroyed) gone.abort();
  response.once('close', () => {
    gone.abort();
  });
  return gone.signal;
}
