import { SluiceError } from './errors.ts';
import type { EventData } from './generated/events.ts';
import type { Instant } from './inputs.ts';
import { type List, type ListOptions, createList } from './list.ts';
import type { Delivery, DeliveryDetail, Suppression, Template, WebhookEndpoint } from './models.ts';
import type { Channel, DeliveryStatus } from './operation.ts';
import { type WriteOptions, hasId, timeText } from './operations.ts';
import { type Submit, waysOf } from './resources.ts';
import { type ApiRequest, type CallOptions, type Transport, segment } from './transport.ts';

export type EventName = keyof EventData;
/** A name, a group such as `transfer.*`, or `*`. */
export type EventFilter = EventName | '*' | `${string}.*`;

export interface DeliveryFilter {
  readonly status?: DeliveryStatus | undefined;
  readonly channel?: Channel | undefined;
  readonly userId?: string | undefined;
  readonly operationId?: string | undefined;
  readonly endpointId?: string | undefined;
  readonly createdAfter?: Instant | undefined;
  readonly createdBefore?: Instant | undefined;
}

export interface ReplayRequest {
  /** A final `status`, and something beside it. */
  readonly filter: DeliveryFilter;
  readonly dryRun?: boolean;
  readonly cursor?: string;
}

export interface ReplayResult {
  readonly nextCursor?: string;
  readonly [count: string]: unknown;
}

export interface Deliveries {
  list(options?: ListOptions & DeliveryFilter): List<Delivery>;
  get(id: string, options?: CallOptions): Promise<DeliveryDetail>;
  /** Sends one again, under the same id. */
  resend(id: string, options?: WriteOptions): Promise<DeliveryDetail>;
  /** Sends up to 10,000 again; `nextCursor` goes on. */
  replay(request: ReplayRequest, options?: WriteOptions): Promise<ReplayResult>;
}

export interface NewWebhookEndpoint {
  readonly url: string;
  readonly events: readonly EventFilter[];
  readonly description?: string;
}

export interface WebhookEndpointChanges {
  readonly url?: string;
  readonly events?: readonly EventFilter[];
  readonly description?: string | null;
  readonly status?: 'enabled' | 'disabled';
}

export interface WebhookEndpoints {
  /** Its secret is in this answer and nowhere else afterwards. */
  create(endpoint: NewWebhookEndpoint, options?: WriteOptions): Promise<WebhookEndpoint>;
  list(options?: ListOptions): List<WebhookEndpoint>;
  get(id: string, options?: CallOptions): Promise<WebhookEndpoint>;
  change(
    id: string,
    changes: WebhookEndpointChanges,
    options?: CallOptions,
  ): Promise<WebhookEndpoint>;
  remove(id: string, options?: CallOptions): Promise<void>;
  /** A new secret, shown this once; the old one signs as well for 24 hours. */
  rotateSecret(id: string, options?: WriteOptions): Promise<WebhookEndpoint>;
  /** Sends a `webhook-endpoint.test` event; answers with its delivery. */
  test(id: string, options?: WriteOptions): Promise<DeliveryDetail>;
}

export interface NewTemplate {
  readonly name: string;
  readonly channel: Exclude<Channel, 'webhook'>;
  readonly locale: string;
  readonly subject?: string;
  readonly text: string;
  readonly html?: string;
}

export type TemplatePreview = {
  readonly data?: Readonly<Record<string, string | number | boolean>>;
} & (
  | { readonly template: Pick<NewTemplate, 'subject' | 'text' | 'html'> }
  | (Pick<NewTemplate, 'name' | 'channel'> & { readonly locale?: string })
);

export interface Templates {
  /** Adds a version. */
  add(template: NewTemplate, options?: WriteOptions): Promise<Template>;
  list(
    options?: ListOptions & {
      readonly name?: string | undefined;
      readonly origin?: 'own' | 'built-in' | undefined;
    },
  ): List<Template>;
  get(id: string, options?: CallOptions): Promise<Template>;
  preview(preview: TemplatePreview, options?: CallOptions): Promise<RenderedTemplate>;
}

export interface RenderedTemplate {
  readonly subject?: string;
  readonly text: string;
  readonly html?: string;
  readonly variables: readonly string[];
  readonly [detail: string]: unknown;
}

export interface NewSuppression {
  readonly channel: 'email' | 'sms' | 'push';
  readonly address: string;
  readonly reason?: string;
}

export interface Suppressions {
  add(suppression: NewSuppression, options?: CallOptions): Promise<Suppression>;
  list(options?: ListOptions): List<Suppression>;
  remove(id: string, options?: CallOptions): Promise<void>;
  /** All of a reason, up to 10,000 at a time. */
  removeAll(
    filter: {
      readonly reason: string;
      readonly channel?: NewSuppression['channel'];
      readonly createdAfter?: Instant;
      readonly createdBefore?: Instant;
    },
    options?: CallOptions,
  ): Promise<{ readonly removed: number; readonly isComplete: boolean }>;
}

export interface Rule {
  readonly event: string;
  readonly channels: readonly Channel[];
  readonly updatedAt?: string;
  readonly category?: string;
}

export interface Rules {
  /** Which events users are told about: your own rules, and what is built in. */
  list(options?: CallOptions): Promise<{
    readonly items: readonly Rule[];
    readonly builtIn: readonly Rule[];
  }>;
  /** `[]`: on no channel; `null`: as it is built in. */
  put(
    rule: {
      readonly event: EventName;
      readonly channels: readonly NewSuppression['channel'][] | null;
    },
    options?: CallOptions,
  ): Promise<{ readonly event: string; readonly channels: readonly Channel[] | null }>;
}

export interface Notifications {
  readonly notifications: { readonly send: Submit<'notification.send'> };
  readonly deliveries: Deliveries;
  readonly webhookEndpoints: WebhookEndpoints;
  readonly templates: Templates;
  readonly suppressions: Suppressions;
  readonly rules: Rules;
}

type Sent = Omit<ApiRequest, 'repeat'> & { readonly repeat?: ApiRequest['repeat'] };

export function createNotifications(transport: Transport): Notifications {
  const { at } = waysOf(transport);
  return Object.freeze({
    notifications: Object.freeze({ send: at<'notification.send'>('/v1/notifications') }),
    deliveries: deliveriesOf(transport),
    webhookEndpoints: webhookEndpointsOf(transport),
    templates: templatesOf(transport),
    suppressions: suppressionsOf(transport),
    rules: rulesOf(transport),
  });
}

async function ask<D>(transport: Transport, request: Sent): Promise<D> {
  const { body } = await transport.send({ repeat: 'safe', ...request });
  return body as D;
}

const keyed = ({ idempotencyKey, ...options }: WriteOptions = {}) =>
  ({ repeat: 'keyed', idempotencyKey, options }) as const;

const timesOf = (filter: Pick<DeliveryFilter, 'createdAfter' | 'createdBefore'>) => ({
  createdAfter: timeText(filter.createdAfter),
  createdBefore: timeText(filter.createdBefore),
});

function deliveriesOf(transport: Transport): Deliveries {
  const path = '/v1/deliveries';
  return Object.freeze({
    list: (options: ListOptions & DeliveryFilter = {}) => {
      const { status, channel, userId, operationId, endpointId } = options;
      const query = { status, channel, userId, operationId, endpointId, ...timesOf(options) };
      return createList<Delivery>(transport, { path, query }, options);
    },
    get: async (id: string, options?: CallOptions) =>
      ask<DeliveryDetail>(transport, {
        ...{ method: 'GET', path: `${path}/${segment(id)}`, options, isAnswer: hasId },
      }),
    resend: async (id: string, options?: WriteOptions) =>
      ask<DeliveryDetail>(transport, {
        ...{ method: 'POST', path: `${path}/${segment(id)}/resend`, isAnswer: hasId },
        ...keyed(options),
      }),
    replay: (body: ReplayRequest, options?: WriteOptions) =>
      ask<ReplayResult>(transport, {
        method: 'POST',
        path: `${path}/replay`,
        body,
        ...keyed(options),
      }),
  });
}

function webhookEndpointsOf(transport: Transport): WebhookEndpoints {
  const path = '/v1/webhook-endpoints';
  const of = (id: string): string => `${path}/${segment(id)}`;
  const isAnswer = hasId;
  return Object.freeze({
    create: (body: NewWebhookEndpoint, options?: WriteOptions) =>
      ask<WebhookEndpoint>(transport, { method: 'POST', path, body, isAnswer, ...keyed(options) }),
    list: (options?: ListOptions) => createList<WebhookEndpoint>(transport, { path }, options),
    get: async (id: string, options?: CallOptions) =>
      ask<WebhookEndpoint>(transport, { method: 'GET', path: of(id), options, isAnswer }),
    change: async (id: string, body: WebhookEndpointChanges, options?: CallOptions) =>
      ask<WebhookEndpoint>(transport, { method: 'PATCH', path: of(id), body, options, isAnswer }),
    remove: async (id: string, options?: CallOptions) => removed(transport, of(id), options),
    rotateSecret: async (id: string, options?: WriteOptions) =>
      ask<WebhookEndpoint>(transport, {
        ...{ method: 'POST', path: `${of(id)}/rotate-secret`, isAnswer, ...keyed(options) },
      }),
    test: async (id: string, options?: WriteOptions) =>
      ask<DeliveryDetail>(transport, {
        ...{ method: 'POST', path: `${of(id)}/test`, isAnswer, ...keyed(options) },
      }),
  });
}

/** What the first try has removed is gone when it is tried again: that is no error. */
async function removed(transport: Transport, path: string, options?: CallOptions): Promise<void> {
  try {
    await transport.send({ method: 'DELETE', path, repeat: 'safe', options });
  } catch (error) {
    const isGone = error instanceof SluiceError && error.code === 'not_found';
    if (!isGone || error.attempts < 2) throw error;
  }
}

function templatesOf(transport: Transport): Templates {
  const path = '/v1/templates';
  return Object.freeze({
    add: (body: NewTemplate, options?: WriteOptions) =>
      ask<Template>(transport, { method: 'POST', path, body, ...keyed(options) }),
    list: (options: Parameters<Templates['list']>[0] = {}) => {
      const { name, origin } = options;
      return createList<Template>(transport, { path, query: { name, origin } }, options);
    },
    get: async (id: string, options?: CallOptions) =>
      ask<Template>(transport, { method: 'GET', path: `${path}/${segment(id)}`, options }),
    preview: (body: TemplatePreview, options?: CallOptions) =>
      ask<RenderedTemplate>(transport, { method: 'POST', path: `${path}/preview`, body, options }),
  });
}

function suppressionsOf(transport: Transport): Suppressions {
  const path = '/v1/suppressions';
  return Object.freeze({
    add: (body: NewSuppression, options?: CallOptions) =>
      ask<Suppression>(transport, { method: 'POST', path, body, options }),
    list: (options?: ListOptions) => createList<Suppression>(transport, { path }, options),
    remove: async (id: string, options?: CallOptions) =>
      removed(transport, `${path}/${segment(id)}`, options),
    removeAll: (filter: Parameters<Suppressions['removeAll']>[0], options?: CallOptions) => {
      const { reason, channel } = filter;
      const query = { reason, channel, ...timesOf(filter) };
      return ask<{ removed: number; isComplete: boolean }>(transport, {
        ...{ method: 'DELETE', path, query, options },
      });
    },
  });
}

function rulesOf(transport: Transport): Rules {
  const path = '/v1/notification-rules';
  return Object.freeze({
    list: (options?: CallOptions) =>
      ask<Awaited<ReturnType<Rules['list']>>>(transport, { method: 'GET', path, options }),
    put: (body: Parameters<Rules['put']>[0], options?: CallOptions) =>
      ask<Awaited<ReturnType<Rules['put']>>>(transport, { method: 'PUT', path, body, options }),
  });
}
