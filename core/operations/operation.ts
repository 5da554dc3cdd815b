import type { Json } from '../kernel/canonical.ts';
import type { ErrorCode, Failure } from '../kernel/errors.ts';
import type { OperationId } from '../kernel/ids.ts';
import type { TurnBack, StepRecord } from './step-record.ts';
import type { OperationStatus } from './status.ts';
import type { Signal } from './step.ts';

/** The queue of stepwise operations. */
export const SAGA_QUEUE = 'saga';

/** Conditions that are checked at the moment of settlement, against the operation's main wallet. */
export interface Preconditions {
  /** Minor units as decimal digits. */
  readonly ifAvailableAtLeast?: string;
  readonly ifWalletSeq?: number;
}

/** Where and how often the operation's job was enqueued. */
export interface Dispatch {
  readonly queue: string;
  readonly seq: number;
  /** The job that it shares with others of its lane; absent: its own, `<operationId>.<seq>`. */
  readonly job?: string;
  readonly at: Date;
}

/**
 * The replica set's logical clock when the operation was stored: an operation sent after another one
 * was answered has a larger stamp, whichever process accepted it. MongoDB fills it in (a BSON
 * timestamp; int64 in operations of the first version, which sort before those).
 */
export type Stamp = bigint | { toBigInt(): bigint };

/** Accepted earlier. A strict order, so that two operations never wait for each other. */
export function isOlder(
  one: Pick<OperationDoc, '_id' | 'stamp'>,
  other: Pick<OperationDoc, '_id' | 'stamp'>,
): boolean {
  const [a, b] = [stampNumber(one.stamp), stampNumber(other.stamp)];
  return a < b || (a === b && one._id < other._id);
}

function stampNumber(stamp: Stamp): bigint {
  return typeof stamp === 'bigint' ? stamp : stamp.toBigInt();
}

/** One time that an operation was put before a human, and why: kept when it goes on. */
export interface Parking {
  readonly at: Date;
  readonly step?: string;
  /** The worker. */
  readonly by?: string;
  readonly code: ErrorCode;
  readonly detail: string;
}

/**
 * How the keys of the platform's own work begin. Clients' keys are printable ASCII, so that none of
 * them can take the place of one of these.
 */
export const PLATFORM_KEY = 'sluice→';

/** The platform has asked for it, not the tenant. */
export function isPlatformsOwn({ idempotencyKey }: Pick<OperationDoc, 'idempotencyKey'>): boolean {
  return idempotencyKey.startsWith(PLATFORM_KEY);
}

/** One accepted request: the unit of idempotency, of status and of history. */
export interface OperationDoc {
  readonly _id: OperationId;
  readonly tenantId: string;
  readonly type: string;
  readonly typeVersion: number;
  /** Of a batch: the versions of the types in it that are not at their first. */
  readonly partVersions?: Readonly<Record<string, number>>;
  /** As validation normalised it: plain JSON, amounts as decimal digits. */
  readonly input: Json;
  readonly idempotencyKey: string;
  readonly requestHash: string;
  readonly status: OperationStatus;
  /** Fencing number: +1 at every claim and at settlement. */
  readonly epoch: number;
  readonly orderingKey: string;
  /** Lane of the ordering key, with its layout (`lane-layout.ts`); atomic operations only. */
  readonly lane?: number;
  readonly stamp: Stamp;
  /**
   * The ordering key again, while it stands in line beside the lanes (`line.ts`): a stepwise
   * operation until it lets the line go, an atomic one from when it had to wait behind such a one.
   */
  readonly line?: string;
  /** A stepwise operation that has had its turn keeps the line until then at the latest. */
  readonly lineUntil?: Date;
  /** Held back by that pause, in its line and before it has begun. */
  readonly pausedBy?: string;
  /** Lines of users for whom it creates something while it stands in another; gone once settled. */
  readonly creates?: readonly string[];
  /** The line of the user whom it concerns, where a stepwise operation stands in one of the client's. */
  readonly userLine?: string;
  readonly dispatch: Dispatch;
  /** "By then somebody must have moved me." Absent once terminal. */
  readonly nextCheckAt?: Date;
  readonly preconditions?: Preconditions;
  /** Too late to run from then on. */
  readonly deadline?: Date;
  readonly dryRun?: true;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly correlationId: string;
  readonly traceparent?: string;
  /** Times that recovery had to enqueue it again. */
  readonly recoveries?: number;
  /** As the client asked. */
  readonly requestedRunAt?: Date;
  /** Not before then: scheduled, a retry, or the end of a wait. */
  readonly runAt?: Date;

  // Stepwise operations only.
  /** The journal: one record per step begun. */
  readonly steps?: readonly StepRecord[];
  /** +1 with every journal write; with `epoch` it tells whether a write has happened. */
  readonly rev?: number;
  readonly pivotPassed?: boolean;
  readonly turnBack?: TurnBack;
  readonly cancelRequested?: { readonly at: Date; readonly by: string };
  readonly signals?: Readonly<Record<string, Signal>>;
  /** Who is at work on it, fresh at every claim, and until when it is theirs (database time). */
  readonly owner?: string;
  readonly leaseUntil?: Date;
  /** Times that its worker died or stalled past the lease. */
  readonly interruptions?: number;
  /** The latest times that it was put before a human, oldest first. */
  readonly parkings?: readonly Parking[];
  /** How a human settled what needed attention. */
  readonly resolution?: { readonly note: string; readonly at: Date; readonly by: string };

  readonly result?: Json;
  readonly error?: Failure;
  /** Who settled it, in which batch. */
  readonly settledBy?: { readonly worker: string; readonly batch?: string };
  readonly createdAt: Date;
  readonly updatedAt?: Date;
  readonly completedAt?: Date;
}

/** An operation without what may be large: enough to move it, or to find its job. */
export type OperationHead = Omit<OperationDoc, 'input' | 'steps' | 'signals' | 'result'>;

/** Reads heads: a page of whole operations could be as large as all their requests together. */
export const HEAD = { input: 0, steps: 0, signals: 0, result: 0 } as const;

/** What a job carries: ids and trace context, never amounts or personal data. */
export interface OperationJob {
  readonly queue: string;
  /** The operation type: the name that Bull Board shows. */
  readonly type: string;
  readonly operationId: OperationId;
  readonly tenantId: string;
  readonly seq: number;
  /** Operations of a queue that name the same one are enqueued together. */
  readonly jobId: string;
  readonly correlationId: string;
  readonly traceparent?: string;
}

export function jobIdOf(operationId: string, seq: number): string {
  return `${operationId}.${seq}`;
}

/** Whom a job of one is about: the id that its own begins with. */
export function subjectOf(jobId: string): string {
  return jobId.slice(0, jobId.lastIndexOf('.'));
}

/** The job that an operation's record says stands for it. */
export function jobOf({ dispatch, ...operation }: OperationHead): OperationJob {
  const { _id: operationId, type, tenantId, correlationId, traceparent } = operation;
  return {
    queue: dispatch.queue,
    type,
    operationId,
    tenantId,
    seq: dispatch.seq,
    jobId: dispatch.job ?? jobIdOf(operationId, dispatch.seq),
    correlationId,
    ...(traceparent !== undefined && { traceparent }),
  };
}

/** Operations with the same ordering key settle in the order in which they were accepted. */
export function userOrderingKey(tenantId: string, userId: string): string {
  return `${tenantId}|u:${userId}`;
}

/** FNV-1a, 32 bit (http://www.isthe.com/chongo/tech/comp/fnv/): stable across versions and hosts. */
export function laneOf(orderingKey: string, lanes: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < orderingKey.length; index += 1) {
    hash = Math.imul(hash ^ orderingKey.charCodeAt(index), 0x01000193) >>> 0;
  }
  // A final mix: the low bits of FNV alone are weak for short, similar keys.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;
  return ((hash ^ (hash >>> 13)) >>> 0) % lanes;
}

/** However long it waits for its turn. A scheduled one is accepted for its time. */
export function acceptedAt({
  createdAt,
  requestedRunAt,
}: Pick<OperationDoc, 'createdAt' | 'requestedRunAt'>): Date {
  return requestedRunAt !== undefined && requestedRunAt > createdAt ? requestedRunAt : createdAt;
}
