import type { Json } from '../kernel/canonical.ts';
import type { OutboxEvent } from '../saga/ports.ts';
import { LIMITS } from '../../config/limits.ts';
import { type Content, type DeliveryDoc, type DigestItem, deliveryIdOf } from './delivery.ts';
import { DIGEST_TEMPLATE, type EventRule } from './event-rules.ts';
import type { EventSubject, Party, UserFacts } from './facts.ts';
import type { Policies } from './policies.ts';
import type { Channel, PushTarget } from './ports.ts';
import { isWanted } from './preferences.ts';
import { MESSAGES_CATEGORY, type SendRequest } from './request.ts';
import type { EndpointDoc } from './webhook-endpoint.ts';

/** What every delivery of an event has in common. */
export interface DraftContext {
  readonly tenantId: string;
  readonly event: OutboxEvent;
  /** When it happened. */
  readonly at: Date;
  /** By the database's clock. */
  readonly now: Date;
  readonly policies: Policies;
}

interface Draft {
  readonly channel: Channel;
  readonly address: string;
  /** Tells the deliveries of one event on one channel apart. */
  readonly recipient: string;
  readonly category: string;
  readonly template: string;
  readonly data: Readonly<Record<string, Json>>;
  readonly userId?: string;
  readonly endpointId?: string;
  readonly pushTarget?: PushTarget;
  readonly content?: Content;
  readonly locale?: string;
  readonly deadline?: Date;
  /** Final from the start, for the log. */
  readonly skipped?: { readonly code: string; readonly detail: string };
}

/** A delivery to be stored. Pure. */
function draftDelivery(draft: Draft, context: DraftContext): DeliveryDoc {
  const { recipient, deadline, skipped, ...fields } = draft;
  const { tenantId, event, at, now, policies } = context;
  const latest = new Date(now.getTime() + policies[draft.channel].lifeMs);
  return {
    _id: deliveryIdOf(event.id, draft.channel, recipient),
    tenantId,
    ...fields,
    status: skipped === undefined ? 'pending' : 'skipped',
    ...(skipped === undefined
      ? { nextCheckAt: new Date(now.getTime() + LIMITS.deliveryRecheckMs) }
      : { reason: skipped, completedAt: now }),
    event: { id: event.id, name: event.name, at },
    ...(event.operationId !== undefined && { operationId: event.operationId }),
    seq: 1,
    attempts: [],
    attemptsUsed: 0,
    expiresAt: deadline !== undefined && deadline < latest ? deadline : latest,
    ...(deadline !== undefined && { deadline }),
    createdAt: now,
  };
}

/** To a webhook endpoint that wants the event. Pure. */
export function webhookDelivery(
  endpoint: Pick<EndpointDoc, '_id' | 'url'>,
  { data }: Pick<EventSubject, 'data'>,
  context: DraftContext,
): DeliveryDoc {
  const { _id: endpointId, url: address } = endpoint;
  return draftDelivery(
    {
      channel: 'webhook',
      address,
      recipient: endpointId,
      endpointId,
      category: 'webhooks',
      template: context.event.name,
      data,
    },
    context,
  );
}

interface Audience {
  readonly rule: EventRule;
  readonly subject: EventSubject;
  /** By user id. */
  readonly users: ReadonlyMap<string, UserFacts>;
  readonly channels: readonly Channel[];
}

/** To the users that a rule names, on the channels that they want. Pure. */
export function userDeliveries(audience: Audience, context: DraftContext): readonly DeliveryDoc[] {
  const { rule, subject, users, channels } = audience;
  return subject.parties.flatMap((party) => {
    const user = users.get(party.userId);
    if (user === undefined) return []; // ours (a system wallet's), or gone
    return channels
      .filter((channel) => wants(user, { rule, channel, event: context.event.name }))
      .flatMap((channel) => toUser({ user, channel, party, rule, subject }, context));
  });
}

function wants(
  { notifications }: UserFacts,
  asked: { readonly rule: EventRule; readonly channel: Channel; readonly event: string },
): boolean {
  const { rule, channel, event } = asked;
  const isDefault = rule.channels.includes(channel);
  return isWanted(notifications, { event, category: rule.category, channel, isDefault });
}

interface UserDraft {
  readonly user: UserFacts;
  readonly channel: Channel;
  readonly party: Party;
  readonly rule: EventRule;
  readonly subject: EventSubject;
}

function toUser(
  { user, channel, party, rule, subject }: UserDraft,
  context: DraftContext,
): readonly DeliveryDoc[] {
  const { event } = context;
  const template = party.role === undefined ? event.name : `${event.name}.${party.role}`;
  return addressesOf(user, channel).map((place) =>
    draftDelivery(
      {
        channel,
        ...place,
        recipient: recipientOf(user.userId, place),
        userId: user.userId,
        category: rule.category,
        template,
        data: subject.data,
        ...localeOf(user),
      },
      context,
    ),
  );
}

interface Place {
  readonly address: string;
  readonly pushTarget?: PushTarget;
}

/** Where a user is reached on a channel; several devices, else one place or none. Pure. */
function addressesOf(user: UserFacts, channel: Channel): readonly Place[] {
  const { contacts, pushTargets = [], userId } = user;
  switch (channel) {
    case 'email':
      return contacts?.email === undefined ? [] : [{ address: contacts.email }];
    case 'sms':
      return contacts?.phone === undefined ? [] : [{ address: contacts.phone }];
    case 'push':
      return pushTargets.map((pushTarget) => ({ address: pushAddress(pushTarget), pushTarget }));
    case 'realtime':
      return [{ address: `user:${userId}` }];
    case 'webhook':
      return [];
  }
}

function pushAddress(target: PushTarget): string {
  return target.kind === 'fcm' ? target.token : target.endpoint;
}

/** A user has one mail address and one phone, whatever they are at the moment; devices are several. */
function recipientOf(userId: string, { address, pushTarget }: Place): string {
  return pushTarget === undefined ? userId : `${userId}\n${address}`;
}

function localeOf({ contacts }: UserFacts): { readonly locale?: string } {
  return contacts?.locale === undefined ? {} : { locale: contacts.locale };
}

/** What a `notification.send` asks for; a channel without an address is logged as skipped. Pure. */
export function requestedDeliveries(
  { input, deadline }: SendRequest,
  users: ReadonlyMap<string, UserFacts>,
  context: DraftContext,
): readonly DeliveryDoc[] {
  const user = input.userId === undefined ? undefined : users.get(input.userId);
  const shared = { ...textOf(input, user), ...(deadline !== undefined && { deadline }) };
  return [...new Set(input.channels)].flatMap((channel) => {
    const places = statedPlaces(input, channel) ?? (user && addressesOf(user, channel)) ?? [];
    if (places.length === 0) {
      const skipped = { code: 'no_address', detail: `There is no address for ${channel}` };
      return [draftDelivery({ ...shared, channel, address: '', recipient: '', skipped }, context)];
    }
    return places.map((place) =>
      draftDelivery(
        { ...shared, ...place, channel, recipient: `${input.userId ?? ''}\n${place.address}` },
        context,
      ),
    );
  });
}

function textOf(input: SendRequest['input'], user: UserFacts | undefined) {
  const { category = MESSAGES_CATEGORY, template = 'content', content, data = {}, userId } = input;
  const locale = input.locale ?? user?.contacts?.locale;
  return {
    category,
    data,
    template,
    ...(content !== undefined && { content }),
    ...(locale !== undefined && { locale }),
    ...(userId !== undefined && { userId }),
  };
}

function statedPlaces(
  { email, phone }: SendRequest['input'],
  channel: Channel,
): readonly Place[] | undefined {
  const stated = { email, sms: phone, push: undefined, webhook: undefined, realtime: undefined };
  const address = stated[channel];
  return address === undefined ? undefined : [{ address }];
}

/**
 * The digest that an event goes into: one per user, channel and window of time, due when the
 * window is over. Its id follows from those, so that every event finds the same one. Pure.
 */
export function digestOf(
  delivery: DeliveryDoc,
  { now, windowMs }: { readonly now: Date; readonly windowMs: number },
): { readonly digest: DeliveryDoc; readonly item: DigestItem } {
  const window = Math.floor(now.getTime() / windowMs);
  const due = new Date((window + 1) * windowMs);
  const { event, channel, tenantId, address, userId = '', template, data, ...rest } = delivery;
  const { operationId: _one, ...shared } = rest; // of several
  const key = `${tenantId}\n${userId}\n${address}`;
  const eventId = `evt_${due.getTime().toString(16).padStart(32, '0')}`;
  const digest: DeliveryDoc = {
    ...shared,
    _id: deliveryIdOf(eventId, channel, key),
    tenantId,
    channel,
    address,
    userId,
    template: DIGEST_TEMPLATE,
    data: {},
    event: { id: eventId, name: DIGEST_TEMPLATE, at: now },
    notBefore: due,
    nextCheckAt: new Date(due.getTime() + LIMITS.deliveryRecheckMs),
    expiresAt: new Date(due.getTime() + (delivery.expiresAt.getTime() - now.getTime())),
  };
  return { digest, item: { eventId: event.id, name: template, data } };
}
