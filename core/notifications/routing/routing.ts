import { LIMITS } from '../../../config/limits.ts';
import type { DatabaseTime } from '../../infra/database-clock.ts';
import type { Failpoint } from '../../kernel/failpoint.ts';
import { userDocId } from '../../ledger/documents.ts';
import type { OutboxEvent, OutboxRow } from '../../events/outbox.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import {
  type DeliveryDoc,
  type DeliveryJob,
  jobOfDelivery,
  sharedJobIdOf,
} from '../delivery/delivery.ts';
import type { DeliveryStore } from '../delivery/delivery-store.ts';
import { digestOf, requestedDeliveries, userDeliveries, webhookDelivery } from './drafts.ts';
import { REQUESTED_EVENT, URGENT_CATEGORY } from './event-rules.ts';
import { type EventSubject, type Facts, type UserFacts, idsOf, subjectOf } from './facts.ts';
import type { FactsStore } from './facts-store.ts';
import type { Tracer } from '../../telemetry/tracer.ts';
import { traceRoute } from './trace-route.ts';
import type { EventPlan, Plans, TenantPlan } from './plans.ts';
import type { View } from '../../service-config/live-settings.ts';
import type { Policies } from '../policies.ts';
import { CHANNELS, type Channel } from '../ports.ts';
import type { DeliveryPublisher } from '../delivery/publisher.ts';
import type { SendRequest } from './request.ts';

export interface RoutingDeps {
  readonly plans: Plans;
  readonly facts: FactsStore;
  readonly deliveries: DeliveryStore;
  readonly publisher: DeliveryPublisher;
  readonly databaseTime: () => Promise<DatabaseTime>;
  readonly policies: View<Policies>;
  readonly canSend: (channel: Channel) => boolean;
  readonly digestWindowMs: number;
  readonly failpoint: Failpoint;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly tracer?: Tracer;
}

export interface Router {
  /**
   * Turns the events of an outbox row into deliveries and enqueues them. All of them are stored
   * when it resolves; repeating a row stores nothing twice. Enqueueing may fail without a throw:
   * recovery finds what has no job.
   */
  route(row: OutboxRow): Promise<void>;
}

interface Wanted {
  readonly event: OutboxEvent;
  readonly plan?: EventPlan;
}

export function createRouter(deps: RoutingDeps): Router {
  const { plans, deliveries, publisher, failpoint, logger, metrics } = deps;
  const told = CHANNELS.filter(
    (channel) => channel !== 'webhook' && channel !== 'realtime' && deps.canSend(channel),
  );

  const store = async (given: Drafts): Promise<readonly DeliveryJob[]> => {
    const drafts = { ...given, single: inSharedJobs(given.single) };
    const fresh = await deliveries.insert(drafts.single);
    for (const { channel } of fresh) metrics.deliveriesCreated.inc({ channel });
    const digests = await gatherAll(deps, drafts);
    // Of a repeated row as well: whether its jobs were enqueued the last time is unknown.
    return [...drafts.single.filter(isPending).map(jobOf), ...digests];
  };

  const routePart = async (row: OutboxRow, wanted: readonly Wanted[]): Promise<void> => {
    const { now } = await deps.databaseTime();
    const routed = traceRoute(deps.tracer, row);
    const drafts = routed.mark(await draftAll(deps, { row, wanted, now, told }));
    if (drafts.single.length + drafts.gathered.length === 0) return;
    const jobs = await store(drafts);
    await failpoint('notify.after-insert');
    try {
      if (jobs.length > 0) await publisher.publishDeliveries(jobs);
    } catch (err) {
      logger.warn({ err, deliveries: jobs.length }, 'deliveries.enqueue.failed');
      metrics.enqueueFailed.inc({ queue: 'notify' }, jobs.length);
    }
    routed.end();
    await failpoint('notify.after-publish');
  };

  return Object.freeze({
    route: async (row: OutboxRow) => {
      const wanted = wantedOf(row, await plans.of(row.tenantId));
      for (const part of partsOf(wanted)) await routePart(row, part);
    },
  });
}

/** Messages bring their texts along: no more of them at a time than fit into memory. */
function partsOf(wanted: readonly Wanted[]): readonly (readonly Wanted[])[] {
  const parts: Wanted[][] = [];
  let requests = 0;
  for (const one of wanted) {
    const isRequest = one.event.name === REQUESTED_EVENT;
    const isFull = isRequest && requests >= LIMITS.routedRequestsMax;
    if (isFull || parts.length === 0) {
      parts.push([]);
      requests = 0;
    }
    parts.at(-1)?.push(one);
    if (isRequest) requests += 1;
  }
  return parts;
}

/** Those of a channel share jobs, whoever they go to; one by itself has its own. */
function inSharedJobs(deliveries: readonly DeliveryDoc[]): readonly DeliveryDoc[] {
  const jobs = new Map<DeliveryDoc, string>();
  const pending = deliveries.filter(isPending);
  const kinds = CHANNELS.flatMap((channel) => [true, false].map((urgent) => ({ channel, urgent })));
  for (const { channel, urgent } of kinds) {
    const due = pending.filter((one) => one.channel === channel && isUrgent(one) === urgent);
    for (let from = 0; from < due.length; from += LIMITS.jobDeliveriesMax) {
      const some = due.slice(from, from + LIMITS.jobDeliveriesMax);
      const jobId = some.length > 1 ? sharedJobIdOf(some) : undefined;
      if (jobId !== undefined) for (const one of some) jobs.set(one, jobId);
    }
  }
  return deliveries.map((one) => {
    const jobId = jobs.get(one);
    return jobId === undefined ? one : { ...one, jobId };
  });
}

function jobOf(delivery: DeliveryDoc): DeliveryJob {
  return { ...jobOfDelivery(delivery), ...(isUrgent(delivery) && { isUrgent: true }) };
}

/** One-time passwords and the like do not wait behind what tells of payments. */
function isUrgent({ category }: DeliveryDoc): boolean {
  return category === URGENT_CATEGORY;
}

function isPending({ status }: DeliveryDoc): boolean {
  return status === 'pending';
}

function wantedOf(row: OutboxRow, planOf: TenantPlan): readonly Wanted[] {
  return row.events.flatMap((event): readonly Wanted[] => {
    const plan = planOf(event.name);
    if (plan !== undefined) return [{ event, plan }];
    return event.name === REQUESTED_EVENT ? [{ event }] : [];
  });
}

interface Drafts {
  readonly single: readonly DeliveryDoc[];
  /** To go into the digest of their user. */
  readonly gathered: readonly DeliveryDoc[];
  readonly now: Date;
}

interface DraftInput {
  readonly row: OutboxRow;
  readonly wanted: readonly Wanted[];
  readonly now: Date;
  /** Channels that reach users by rules. */
  readonly told: readonly Channel[];
}

async function draftAll(deps: RoutingDeps, input: DraftInput): Promise<Drafts> {
  const { row, wanted, now, told } = input;
  const { tenantId } = row;
  const [facts, requests] = await Promise.all([
    loadFacts(deps.facts, wanted),
    loadRequests(deps.facts, wanted),
  ]);
  const subjects = new Map<OutboxEvent, EventSubject>(
    wanted.map(({ event }) => [event, subjectOf(event, facts)]),
  );
  const users = await loadUsers(deps.facts, { tenantId, wanted, subjects, requests });
  const single: DeliveryDoc[] = [];
  const gathered: DeliveryDoc[] = [];
  for (const { event, plan } of wanted) {
    const subject = subjects.get(event) ?? NO_SUBJECT;
    const request = requests.get(event);
    const at = row.createdAt;
    const context = { tenantId, event, at, now, policies: deps.policies.of(tenantId) };
    for (const endpoint of plan?.endpoints ?? []) {
      single.push(webhookDelivery(endpoint, subject, context));
    }
    if (plan?.rule !== undefined) {
      const { rule } = plan;
      const all = userDeliveries({ rule, subject, users, channels: told }, context);
      const isGathered = (one: DeliveryDoc): boolean => rule.isDigest === true && isPending(one);
      gathered.push(...all.filter(isGathered));
      single.push(...all.filter((one) => !isGathered(one)));
    }
    if (request !== undefined) single.push(...requestedDeliveries(request, users, context));
  }
  return { single, gathered, now };
}

const NO_SUBJECT: EventSubject = { data: {}, parties: [] };

interface UsersWanted {
  readonly tenantId: string;
  readonly wanted: readonly Wanted[];
  readonly subjects: ReadonlyMap<OutboxEvent, EventSubject>;
  readonly requests: ReadonlyMap<OutboxEvent, SendRequest>;
}

/** By user id: those whom a rule or a request names. */
async function loadUsers(
  store: FactsStore,
  { tenantId, wanted, subjects, requests }: UsersWanted,
): Promise<ReadonlyMap<string, UserFacts>> {
  const parties = wanted
    .filter(({ plan }) => plan?.rule !== undefined)
    .flatMap(({ event }) => subjects.get(event)?.parties ?? []);
  const asked = [...requests.values()].flatMap(({ input: { userId } }) => userId ?? []);
  const ids = [...parties.map(({ userId }) => userId), ...asked];
  const found = await store.users(ids.map((userId) => userDocId(tenantId, userId)));
  return new Map([...found.values()].map((user) => [user.userId, user]));
}

async function loadFacts(store: FactsStore, wanted: readonly Wanted[]): Promise<Facts> {
  const ids = wanted.map(({ event }) => idsOf(event));
  const [transfers, holds] = await Promise.all([
    store.transfers(ids.flatMap(({ transferId }) => transferId ?? [])),
    store.holds(ids.flatMap(({ holdId }) => holdId ?? [])),
  ]);
  return {
    transfers: new Map(transfers.map((transfer) => [transfer._id, transfer])),
    holds: new Map(holds.map((hold) => [hold._id, hold])),
  };
}

async function loadRequests(
  store: FactsStore,
  wanted: readonly Wanted[],
): Promise<ReadonlyMap<OutboxEvent, SendRequest>> {
  const events = wanted.map(({ event }) => event).filter(({ name }) => name === REQUESTED_EVENT);
  const ids = events.flatMap(({ operationId }) => operationId ?? []);
  const byId = new Map((await store.requests(ids)).map((one) => [one.operationId, one]));
  return new Map(
    events.flatMap((event): [OutboxEvent, SendRequest][] => {
      const request = event.operationId === undefined ? undefined : byId.get(event.operationId);
      return request === undefined ? [] : [[event, request]];
    }),
  );
}

/** One after another: several events of a row may go into the same digest. */
async function gatherAll(
  deps: RoutingDeps,
  { gathered, now }: Drafts,
): Promise<readonly DeliveryJob[]> {
  const jobs = new Map<string, DeliveryJob>();
  for (const delivery of gathered) {
    const digest = await gatherOne(deps, delivery, now);
    if (digest === undefined) {
      deps.logger.error({ eventId: delivery.event.id }, 'digest.full'); // a flood for one user
      continue;
    }
    jobs.set(digest._id, { ...jobOfDelivery(digest), notBefore: digest.notBefore ?? now });
  }
  return [...jobs.values()];
}

/**
 * The first digest from the event's own window on that has it or takes it: one that has been sent,
 * or is full, is closed, and a row that comes again looks at the same ones in the same order.
 */
async function gatherOne(
  { deliveries, digestWindowMs: windowMs }: RoutingDeps,
  delivery: DeliveryDoc,
  now: Date,
): Promise<DeliveryDoc | undefined> {
  const behind = Math.floor((now.getTime() - delivery.event.at.getTime()) / windowMs);
  const last = Math.max(0, behind) + LIMITS.digestsAheadMax;
  for (let later = Math.max(0, behind - LIMITS.digestsBehindMax); later <= last; later += 1) {
    const { digest, item } = digestOf(delivery, { windowMs, later });
    if (await deliveries.gather(digest, item)) return digest;
  }
  return undefined;
}
