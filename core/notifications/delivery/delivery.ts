import { createHash } from 'node:crypto';
import { assert } from '../../kernel/assert.ts';
import type { Json } from '../../kernel/canonical.ts';
import { type OperationId, newToken } from '../../kernel/ids.ts';
import type { Channel, PushTarget, SendOutcome } from '../ports.ts';

export type DeliveryId = `dlv_${string}`;

/**
 * `pending`: to be sent, now or at `notBefore`. `sending`: a worker has it, until `leaseUntil`. The
 * others are final: `skipped` was never to be sent (opted out, suppressed, endpoint disabled),
 * `uncertain` may or may not have arrived and must not be sent twice.
 */
export const DELIVERY_STATUSES = [
  'pending',
  'sending',
  'sent',
  'failed',
  'skipped',
  'expired',
  'uncertain',
] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];
export type FinalStatus = Exclude<DeliveryStatus, 'pending' | 'sending'>;

export function isFinal(status: DeliveryStatus): status is FinalStatus {
  return status !== 'pending' && status !== 'sending';
}

/** One call to a provider. Appended, never changed. */
export interface Attempt {
  readonly provider: string;
  /** `interrupted`: the worker died between the claim and the journal. */
  readonly outcome: SendOutcome['kind'] | 'interrupted';
  readonly code?: string;
  readonly detail?: string;
  /** As the provider answered. */
  readonly status?: number;
  readonly reference?: string;
  readonly at: Date;
  readonly ms: number;
  readonly worker: string;
}

/** Why it waits although no attempt of its own failed. */
export const DEFERRALS = ['breaker_open', 'throttled', 'quiet_hours', 'paused'] as const;
export type DeferralCode = (typeof DEFERRALS)[number];

export interface Deferral {
  readonly code: DeferralCode;
  /** Whose breaker or limit it was. */
  readonly provider?: string;
  readonly at: Date;
  readonly until: Date;
  readonly times: number;
}

/** Text that was given with the request, in place of a template. */
export interface Content {
  readonly subject?: string;
  readonly text: string;
  readonly html?: string;
}

/** What one event has become for one recipient on one channel. */
export interface DeliveryDoc {
  readonly _id: DeliveryId;
  readonly tenantId: string;
  readonly channel: Channel;
  readonly status: DeliveryStatus;
  readonly event: { readonly id: string; readonly name: string; readonly at: Date };
  readonly operationId?: OperationId;
  /** W3C trace context, where the trace of its operation is recorded. */
  readonly traceparent?: string;
  readonly category: string;
  readonly userId?: string;
  readonly endpointId?: string;
  /** Mail address, phone number, URL, token, or the user whose streams it goes to. */
  readonly address: string;
  readonly pushTarget?: PushTarget;
  readonly template: string;
  readonly content?: Content;
  readonly locale?: string;
  readonly data: Readonly<Record<string, Json>>;
  /** A digest gathers events until it is due. */
  readonly items?: readonly DigestItem[];
  /** Ids of the events of a digest beyond those that it shows: counted, each once. */
  readonly more?: readonly string[];
  /** Number of its job: the job id is `<id>.<seq>`, unless it shares one. */
  readonly seq: number;
  /** Of the job that it shares with others, or that it was put off to. */
  readonly jobId?: string;
  /** Fresh at every claim; whoever writes the outcome of an attempt has to show it. */
  readonly owner?: string;
  readonly leaseUntil?: Date;
  readonly attempts: readonly Attempt[];
  /** Of the attempts that its channel's policy allows. */
  readonly attemptsUsed: number;
  /** Times that the other side has put it off, which uses up no attempt and yet has an end. */
  readonly throttles?: number;
  readonly deferral?: Deferral;
  /** Put off by that pause. */
  readonly pausedBy?: string;
  readonly notBefore?: Date;
  /** "By then somebody must have moved me." Absent once final. */
  readonly nextCheckAt?: Date;
  readonly expiresAt: Date;
  /** The end of its use as whoever asked for it has said: `expiresAt` never goes beyond it. */
  readonly deadline?: Date;
  /** Quiet hours have held it back, and its life has begun anew at their end: once. */
  readonly isProlonged?: true;
  readonly reason?: { readonly code: string; readonly detail: string };
  readonly resends?: number;
  /** Of the requests that had it sent again: repeating one does not do so once more. */
  readonly resendTokens?: readonly string[];
  readonly createdAt: Date;
  readonly updatedAt?: Date;
  readonly completedAt?: Date;
}

export interface DigestItem {
  readonly eventId: string;
  readonly name: string;
  readonly data: Readonly<Record<string, Json>>;
}

export interface DeliveryJob {
  readonly deliveryId: DeliveryId;
  readonly tenantId: string;
  readonly channel: Channel;
  readonly seq: number;
  /** Those that name the same one share it. */
  readonly jobId?: string;
  /** Goes before what waits. */
  readonly isUrgent?: true;
  /** Not due before then: the job is delayed. */
  readonly notBefore?: Date;
}

/** What a job needs to know of a delivery. */
export type DeliveryRef = Pick<DeliveryDoc, '_id' | 'tenantId' | 'channel' | 'seq' | 'jobId'>;

/** What a job says of one. */
export type DeliveryInJob = Pick<DeliveryDoc, '_id' | 'channel' | 'seq'>;

export function jobOfDelivery(delivery: DeliveryRef): DeliveryJob {
  const { _id: deliveryId, tenantId, channel, seq, jobId } = delivery;
  return { deliveryId, tenantId, channel, seq, ...(jobId !== undefined && { jobId }) };
}

export function deliveryJobId({ deliveryId, seq, jobId }: DeliveryJob): string {
  return jobId ?? `${deliveryId}.${seq}`;
}

/** Of a job of so many that is made for this once. */
export function newSharedJobId(count: number): string {
  return `dlvs_${newToken()}.${String(count)}`;
}

/** The same for the same deliveries, so that who publishes them again adds nothing. */
export function sharedJobIdOf(deliveries: readonly Pick<DeliveryDoc, '_id' | 'seq'>[]): string {
  const hash = createHash('sha256');
  for (const { _id, seq } of deliveries) hash.update(`${_id}.${seq}\n`);
  return `dlvs_${hash.digest('hex').slice(0, 32)}.${String(deliveries.length)}`;
}

/** How many a job of that id stands for. */
export function deliveriesOfJobId(jobId: string): number {
  return Number(SHARED_JOB.exec(jobId)?.[1] ?? 1);
}

const SHARED_JOB = /^dlvs_[0-9a-f]+\.(\d+)$/;

const TIME_SORTED = /[0-9a-f]{32}/;
const BODY = /^dlv_[0-9a-f]{48}$/;

/**
 * The same for the same event, recipient and channel, so that a repeat inserts nothing. It begins
 * with the body of the operation's id: the deliveries of an operation stand together.
 */
export function deliveryIdOf(eventId: string, channel: Channel, recipient: string): DeliveryId {
  const body = TIME_SORTED.exec(eventId)?.[0];
  assert(body !== undefined, 'an event id holds a time-sortable body', { eventId });
  const rest = createHash('sha256').update(`${eventId}\n${channel}\n${recipient}`).digest('hex');
  return `dlv_${body}${rest.slice(0, 16)}`;
}

export function isDeliveryId(text: string): text is DeliveryId {
  return BODY.test(text);
}

/** Every delivery of an operation has an id from here up to, not including, the second. */
export function deliveryIdsOf(operationId: string): readonly [DeliveryId, DeliveryId] {
  const body = operationId.slice(3);
  return [`dlv_${body}`, `dlv_${body}g`];
}
