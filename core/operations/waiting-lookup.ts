import { z } from 'zod';
import { WAITING_LIMITS } from '../../config/waiting-limits.ts';
import type { ReadDatabaseTime } from '../infra/database-clock.ts';
import type { LeaseReads } from '../infra/lease-store.ts';
import { type Clock, withTimeout } from '../kernel/clock.ts';
import type { JobSight, WaitingOn } from '../kernel/waiting-on.ts';
import type { Registry } from './define.ts';
import { laneNumberOf } from './lane-layout.ts';
import { type Place, waitsInLine } from './line.ts';
import type { LineStore } from './line-store.ts';
import { type OperationDoc, jobOf } from './operation.ts';
import type { JobPublisher } from './ports.ts';
import type { SagaPlan } from './step.ts';
import { isTerminal } from './status.ts';
import { currentStep, operationWaitsOn, type ProviderSight, type WaitingSight } from './waiting.ts';
import { versionOf } from './versions.ts';

interface LookupDeps {
  readonly registry: Registry;
  readonly leases: LeaseReads;
  readonly lines: Pick<LineStore, 'heads' | 'oldestInLanes'>;
  readonly publisher: Pick<JobPublisher, 'findJobs'>;
  readonly providerOf: (name: string) => Promise<ProviderSight>;
  readonly databaseTime: ReadDatabaseTime;
  readonly clock: Pick<Clock, 'now'>;
}

export interface WaitingLookup {
  /** With everything that is to be known; a handful of indexed look-ups, each with a short end. */
  look(operation: OperationDoc): Promise<WaitingOn | undefined>;
  /**
   * The same for an operation that has been open for a moment; a younger one, which is about to
   * settle, is answered from its document alone, so that polling it costs no look-up.
   */
  glance(operation: OperationDoc): Promise<WaitingOn | undefined>;
}

export function createWaitingLookup(deps: LookupDeps): WaitingLookup {
  const { clock } = deps;
  const ofDocument = (operation: OperationDoc): WaitingOn | undefined =>
    operationWaitsOn(operation, {
      now: new Date(clock.now()),
      isForApproval: isForApproval(operation, deps.registry),
    });
  const look = async (operation: OperationDoc): Promise<WaitingOn | undefined> =>
    isTerminal(operation.status)
      ? undefined
      : operationWaitsOn(operation, await sightOf(deps, operation));
  return Object.freeze({
    look,
    glance: async (operation: OperationDoc) => {
      const ageMs = clock.now() - operation.createdAt.getTime();
      return ageMs < WAITING_LIMITS.lookAfterMs ? ofDocument(operation) : look(operation);
    },
  } satisfies WaitingLookup);
}

async function sightOf(deps: LookupDeps, operation: OperationDoc): Promise<WaitingSight> {
  const { registry, clock } = deps;
  const [now, laneLease, ahead, job, provider] = await Promise.all([
    inTime(deps.databaseTime()).then((time) => time?.now ?? new Date(clock.now())),
    inTime(laneLeaseOf(deps, operation)),
    inTime(aheadOf(deps, operation)),
    jobSightOf(deps, operation),
    inTime(providerSightOf(deps, operation)),
  ]);
  return {
    now,
    ...(laneLease !== undefined && { laneLease }),
    ...(ahead !== undefined && { ahead }),
    ...(job !== undefined && { job }),
    ...(provider !== undefined && { provider }),
    isForApproval: isForApproval(operation, registry),
  };
}

/** Undefined as well where it failed: an answer with less in it beats none. */
async function inTime<T>(work: Promise<T>): Promise<T | undefined> {
  const late = (): Error => new Error('too late to be of use');
  return withTimeout(work, WAITING_LIMITS.lookMs, late).catch(() => undefined);
}

async function laneLeaseOf({ leases }: LookupDeps, { status, lane }: OperationDoc) {
  if (status !== 'accepted' || lane === undefined) return undefined;
  const [lease] = await leases.find([`lane:${laneNumberOf(lane)}`]);
  return lease === undefined ? {} : { owner: lease.owner, until: lease.until };
}

/** What its line waits for: whoever holds the line, else the oldest of it in its lane. */
async function aheadOf({ lines }: LookupDeps, operation: OperationDoc) {
  const { _id, status, lane, line, orderingKey } = operation;
  const isParked = waitsInLine(operation);
  if (!isParked && (status !== 'accepted' || lane === undefined)) return undefined;
  const before =
    (isParked && line !== undefined ? await headOf(lines, line, _id) : undefined) ??
    (await lines.oldestInLanes([orderingKey])).get(orderingKey);
  if (before === undefined || before._id === _id) return undefined;
  const { lineUntil: until } = before;
  // A group by lane has null where there is none.
  return { id: before._id, ...(until instanceof Date && { until }) };
}

async function headOf(
  lines: LookupDeps['lines'],
  line: string,
  besides: OperationDoc['_id'],
): Promise<Place | undefined> {
  const head = (await lines.heads([line], [besides])).get(line);
  return head?.first ?? head?.late;
}

async function jobSightOf(
  { publisher }: LookupDeps,
  operation: OperationDoc,
): Promise<JobSight | undefined> {
  const { status, leaseUntil, runAt } = operation;
  const isLetBackIn = status === 'compensating' && leaseUntil === undefined && runAt === undefined;
  if (status !== 'accepted' && !isLetBackIn) return undefined;
  const found = await inTime(publisher.findJobs([jobOf(operation)]));
  return found === undefined ? 'away' : found[0];
}

async function providerSightOf(deps: LookupDeps, operation: OperationDoc) {
  const name = providerNameOf(operation, deps.registry);
  if (name === undefined) return undefined;
  const sight = await inTime(deps.providerOf(name));
  return sight ?? { name, state: 'unknown' as const };
}

/** The provider of the step that it is at, or of the next one that has one. Pure. */
function providerNameOf(operation: OperationDoc, registry: Registry): string | undefined {
  const version = versionOf(registry, operation);
  const plan = version.kind === 'known' ? version.definition.saga : undefined;
  for (const step of plan === undefined ? [] : stepsAhead(operation, plan.steps)) {
    // One that posts to our own ledger waits for no provider.
    if (step.kind === 'ledger') return undefined;
    const name = step.provider?.(contextOf(operation));
    if (name !== undefined) return name;
  }
  return undefined;
}

function stepsAhead(operation: OperationDoc, steps: SagaPlan['steps']): SagaPlan['steps'] {
  const at = currentStep(operation);
  const index = steps.findIndex(({ name }) => name === at?.name);
  if (operation.status === 'compensating') return index < 0 ? [] : steps.slice(index, index + 1);
  return steps.slice(at?.status === 'done' ? index + 1 : Math.max(0, index));
}

function contextOf({ tenantId, _id, input, steps = [], signals = {} }: OperationDoc) {
  const results = Object.fromEntries(steps.map(({ name, result }) => [name, result]));
  return {
    tenantId,
    operationId: _id,
    input,
    results,
    signals,
    hasWaitExpired: false,
    attempt: steps.at(-1)?.attempt ?? 0,
  };
}

/** The signal that it waits for takes a yes or a no. */
function isForApproval(operation: OperationDoc, registry: Registry): boolean {
  const waiting = operation.steps?.find(({ status }) => status === 'waiting');
  const signal = waiting?.waitingFor?.signal;
  const version = versionOf(registry, operation);
  if (signal === undefined || version.kind !== 'known') return false;
  const schema = version.definition.signals?.[signal];
  return schema instanceof z.ZodObject && Object.hasOwn(schema.shape, 'approve');
}
