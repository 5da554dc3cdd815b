import type { Json } from '../../kernel/canonical.ts';
import type { OutboxEvent } from '../../events/outbox.ts';
import { LIMITS } from '../../../config/limits.ts';
import {
  type Content,
  type DeliveryDoc,
  type DigestItem,
  deliveryIdOf,
} from '../delivery/delivery.ts';
import { DIGEST_TEMPLATE, type EventRule } from './event-rules.ts';
import type { EventSubject, Party, UserFacts } from './facts.ts';
import type { Policies } from '../policies.ts';
import type { Channel, PushTarget } from '../ports.ts';
import { isWanted } from './preferences.ts';
import { type Place, addressesOf } from './reach.ts';
import { MESSAGES_CATEGORY, type SendRequest } from './request.ts';
import type { WebhookEndpointDoc } from '../webhooks/webhook-endpoint.ts';

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

/** To a webhook endpoint that wants the event; to one that is disabled for the log. Pure. */
export function webhookDelivery(
  endpoint: Pick<WebhookEndpointDoc, '_id' | 'url' | 'status' | 'disabledReason'>,
  { data }: Pick<EventSubject, 'data'>,
  context: DraftContext,
): DeliveryDoc {
  const { _id: endpointId, url: address, status, disabledReason } = endpoint;
  const detail = disabledReason ?? 'Disabled by its owner';
  return draftDelivery(
    {
      ...(status === 'disabled' && { skipped: { code: 'endpoint_disabled', detail } }),
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

/**
 * To the users that a rule names, on the channels that they want. Where a message is due by the rule
 * and does not go out, the log says why. Pure.
 */
export function userDeliveries(audience: Audience, context: DraftContext): readonly DeliveryDoc[] {
  const { rule, subject, users, channels } = audience;
  return subject.parties.flatMap((party) => {
    const user = users.get(party.userId);
    if (user === undefined) return []; // ours (a system wallet's), or gone
    const drafts = channels.flatMap((channel) =>
      toUser({ user, channel, party, rule, subject }, context),
    );
    // Whoever has registered no device has not asked for pushes: that is worth a line only where
    // there would be none.
    const others = drafts.filter(({ isNoDevice }) => !isNoDevice);
    return (others.length > 0 ? others : drafts).map(({ delivery }) => delivery);
  });
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
): readonly { readonly delivery: DeliveryDoc; readonly isNoDevice: boolean }[] {
  const { event } = context;
  const { category } = rule;
  const isDefault = rule.channels.includes(channel);
  const asked = { event: event.name, category, channel, isDefault };
  const isAsked = isWanted(user.notifications, asked);
  if (!isAsked && !isDefault) return []; // neither the rule nor the user speaks of it
  const places = addressesOf(user, channel);
  const skipped = isAsked ? noAddress(channel, places) : OPTED_OUT;
  const template = party.role === undefined ? event.name : `${event.name}.${party.role}`;
  const userId = user.userId;
  const shared = { channel, userId, category, template, data: subject.data, ...localeOf(user) };
  return (places.length === 0 ? [NOWHERE] : places).map((place) => ({
    isNoDevice: channel === 'push' && places.length === 0,
    delivery: draftDelivery(
      {
        ...shared,
        ...place,
        recipient: recipientOf(userId, place),
        ...(skipped !== undefined && { skipped }),
      },
      context,
    ),
  }));
}

const NOWHERE: Place = { address: '' };
const OPTED_OUT = { code: 'opted_out', detail: 'The user does not want it' };

function noAddress(channel: Channel, places: readonly Place[]): Draft['skipped'] | undefined {
  if (places.length > 0) return undefined;
  return { code: 'no_address', detail: `There is no address for ${channel}` };
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
    const skipped = noAddress(channel, places);
    if (skipped !== undefined) {
      return [draftDelivery({ ...shared, channel, ...NOWHERE, recipient: '', skipped }, context)];
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
 * The digest that an event goes into: one per user, channel and window of time, due when the window
 * is over. The window is that of the event, `later` by so many, and not that of whoever routes it:
 * a row that comes again finds the same one. Pure.
 */
export function digestOf(
  delivery: DeliveryDoc,
  { windowMs, later }: { readonly windowMs: number; readonly later: number },
): { readonly digest: DeliveryDoc; readonly item: DigestItem } {
  const window = Math.floor(delivery.event.at.getTime() / windowMs) + later;
  const due = new Date((window + 1) * windowMs);
  const { event, channel, tenantId, userId = '', template, data, ...rest } = delivery;
  const { operationId: _one, ...shared } = rest; // of several
  const key = `${tenantId}\n${recipientOf(userId, delivery)}`;
  const eventId = `evt_${due.getTime().toString(16).padStart(32, '0')}`;
  const lifeMs = delivery.expiresAt.getTime() - delivery.createdAt.getTime();
  const dueOrNow = due < delivery.createdAt ? delivery.createdAt : due;
  const digest: DeliveryDoc = {
    ...shared,
    _id: deliveryIdOf(eventId, channel, key),
    tenantId,
    channel,
    userId,
    template: DIGEST_TEMPLATE,
    data: {},
    event: { id: eventId, name: DIGEST_TEMPLATE, at: delivery.createdAt },
    notBefore: due,
    nextCheckAt: new Date(dueOrNow.getTime() + LIMITS.deliveryRecheckMs),
    expiresAt: new Date(dueOrNow.getTime() + lifeMs),
  };
  return { digest, item: { eventId: event.id, name: template, data } };
}
