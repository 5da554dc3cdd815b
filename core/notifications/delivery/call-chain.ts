import { LIMITS } from '../../../config/limits.ts';
import type { Budget } from '../admission/budget.ts';
import { type CallDeps, type Called, callProvider } from './call-provider.ts';
import type { DeliveryDoc, DeliveryId } from './delivery.ts';
import type { Claim, Journal } from './delivery-journal.ts';
import { callKeyOf, targetOf } from './request-of.ts';
import type { EngineDeps } from './engine-deps.ts';
import type { Target, Admission, Left, Permit } from '../admission/admission.ts';
import { messageOf } from './messages.ts';
import { type DeliverySnapshot, nextStep } from './next-step.ts';
import type { Pause } from '../../service-config/pause.ts';
import { pausedAt } from './paused.ts';
import { policyAt } from '../policies.ts';
import type { Channel, Messages, Provider } from '../ports.ts';

export type SenderDeps = Omit<EngineDeps, 'deliveries' | 'facts' | 'publisher'> & {
  readonly journal: Journal;
  readonly look: (id: DeliveryId) => Promise<DeliverySnapshot | 'gone'>;
  readonly budget: Budget;
};

export interface KeptBack {
  readonly kind: 'open' | 'held' | 'busy';
  readonly waitMs: number;
  readonly provider: string;
}

/** What trying the providers of a channel has come to. */
export type Tried =
  | {
      readonly kind: 'called';
      readonly snapshot: DeliverySnapshot;
      readonly owner: string;
      readonly calls: readonly Called[];
      /** The last call was to see whether the other side is back: for how long it is left alone now. */
      readonly probedMs?: number;
    }
  | KeptBack
  /** Nobody has it, and none of its providers may be called just now. */
  | { readonly kind: 'paused'; readonly pause: Pause; readonly provider: string }
  /** It is not as it was read: to be looked at anew. */
  | { readonly kind: 'changed'; readonly snapshot: DeliverySnapshot }
  /** Another worker has it, or it is not there any more. */
  | { readonly kind: 'taken' };

export interface Outgoing<C extends Channel> {
  readonly snapshot: DeliverySnapshot;
  readonly channel: C;
  readonly message: Messages[C];
  readonly providers: readonly Provider<C>[];
}

/**
 * The first provider whose breaker lets it through; the next one when it definitely did not take the
 * message. The claim comes after the admission, so that what is kept back costs no write.
 */
export async function tryProviders<C extends Channel>(
  deps: SenderDeps,
  outgoing: Outgoing<C>,
): Promise<Tried> {
  const { channel, snapshot } = outgoing;
  const { delivery } = snapshot;
  const usual = deps.policies.of(delivery.tenantId)[channel];
  const now = databaseClock(deps, snapshot);
  // By now: it may have waited for a place.
  const isExpired = (): boolean => now() >= delivery.expiresAt.getTime();
  const calls: Called[] = [];
  let held: Held<C> | undefined;
  let left: Left | undefined;
  const { open, paused } = unpaused(deps, outgoing);
  let kept: Tried = paused;
  for (const provider of open) {
    const { message } = held ?? outgoing;
    const policy = policyAt(usual, provider.name);
    const { timeoutMs } = policy;
    const breakerKey = provider.breakerKey(message, delivery.tenantId);
    const target = targetOf(snapshot, { provider, breakerKey, policy });
    const permit = await entered(deps.admission, target, isExpired);
    if (permit.kind !== 'go') {
      kept = sooner(kept, { ...permit, provider: provider.name });
      if (permit.kind === 'busy') break; // it is well: worth waiting for
      continue;
    }
    const taken = held ?? (await takenOf(deps, { ...outgoing, message }, permit));
    if ('kind' in taken) return taken;
    held = taken;
    if (!(await mayCall(deps, { held, permit, timeoutMs, isFirst: calls.length === 0 }))) break;
    const { message: sent } = held;
    const call = { provider, message: sent, key: callKeyOf(delivery), timeoutMs, now };
    const called = await callProvider(callDeps(deps), { ...call, ...traceOf(delivery) });
    calls.push(called);
    left = await permit.leave(called.outcome);
    await deps.failpoint('notify.after-send');
    if (!leavesItToOthers(called)) break;
  }
  return held === undefined ? kept : calledOf(held, calls, left);
}

/** Those that may be called; where there is none, the pause of the first. */
function unpaused<C extends Channel>(
  deps: SenderDeps,
  { snapshot, providers }: Outgoing<C>,
): { readonly open: readonly Provider<C>[]; readonly paused: Tried } {
  const pauses = providers.map(({ name }) => pausedAt(deps, snapshot.delivery, name));
  const open = providers.filter((_provider, index) => pauses[index] === undefined);
  const [pause] = pauses;
  if (open.length > 0 || pause === undefined) return { open, paused: { kind: 'taken' } };
  return { open, paused: { kind: 'paused', pause, provider: providers[0]?.name ?? '' } };
}

/** The provider definitely has not taken it. */
function leavesItToOthers({ outcome }: Called): boolean {
  return outcome.kind === 'fault' && !outcome.mayHaveSent;
}

/** A delivery that is ours. */
interface Held<C extends Channel> {
  readonly snapshot: DeliverySnapshot;
  readonly message: Messages[C];
  readonly claim: Claim;
}

function calledOf(
  { snapshot, claim: { owner } }: Pick<Held<Channel>, 'snapshot' | 'claim'>,
  calls: readonly Called[],
  left: Left | undefined,
): Tried {
  if (calls.length === 0) return { kind: 'taken' };
  const probed = left?.isProbe === true ? { probedMs: left.openMs } : {};
  return { kind: 'called', snapshot, owner, calls, ...probed };
}

type Passed = Permit & { readonly kind: 'go' };

/** It has a place: what was read is still so, and nobody else has it. */
async function takenOf<C extends Channel>(
  deps: SenderDeps,
  outgoing: Omit<Outgoing<C>, 'providers'>,
  permit: Passed,
): Promise<Held<C> | (Tried & { kind: 'changed' | 'taken' })> {
  const renewed = await renewedOf(deps, outgoing);
  if ('kind' in renewed) {
    permit.abandon();
    return renewed;
  }
  const claim = await claimed(deps.journal, outgoing.snapshot.delivery, permit);
  if (claim === undefined) return { kind: 'taken' };
  await deps.failpoint('notify.after-claim');
  return { ...renewed, claim };
}

/**
 * What was read a while ago is read again before it is claimed: meanwhile it may have been cancelled,
 * the user suppressed, the endpoint moved or given another secret.
 */
async function renewedOf<C extends Channel>(
  deps: SenderDeps,
  { snapshot, message, channel }: Omit<Outgoing<C>, 'providers'>,
): Promise<Pick<Outgoing<C>, 'snapshot' | 'message'> | (Tried & { kind: 'changed' | 'taken' })> {
  if (isFresh(deps, snapshot)) return { snapshot, message };
  const fresh = await deps.look(snapshot.delivery._id);
  if (fresh === 'gone') return { kind: 'taken' };
  const isSame =
    nextStep(fresh, deps.policies.of(fresh.delivery.tenantId)[channel]).kind === 'send' &&
    fresh.delivery.address === snapshot.delivery.address &&
    fresh.endpoint?.url === snapshot.endpoint?.url;
  if (!isSame) return { kind: 'changed', snapshot: fresh };
  const renewed = await messageOf(deps, fresh, channel);
  return typeof renewed === 'string'
    ? { kind: 'changed', snapshot: fresh }
    : { snapshot: fresh, message: renewed };
}

function isFresh({ clock }: SenderDeps, { readMs }: DeliverySnapshot): boolean {
  return clock.monotonicMs() - readMs <= LIMITS.deliverySightMsMax;
}

interface Standing {
  readonly held: Pick<Held<Channel>, 'snapshot' | 'claim'>;
  readonly permit: Passed;
  readonly isFirst: boolean;
  /** Of the call. */
  readonly timeoutMs: number;
}

/**
 * The claim lasts as long as a call may take, by a clock that nobody sets, and what was read is still
 * young. Else nothing is sent.
 */
async function mayCall(
  deps: SenderDeps,
  { held, permit, isFirst, timeoutMs }: Standing,
): Promise<boolean> {
  const { clock, leaseMs } = deps;
  const { snapshot, claim } = held;
  // Where leases are shorter than calls, as in tests, most of it must be left.
  const spareMs = Math.max(leaseMs - timeoutMs, leaseMs / 4);
  const isAlive = clock.monotonicMs() - claim.askedMs <= spareMs;
  if (isAlive && (!isFirst || isFresh(deps, snapshot))) return true;
  permit.abandon();
  if (isFirst) await letGo(deps, snapshot.delivery, claim);
  return false;
}

/** Nothing was sent: it may begin anew at once. */
async function letGo(
  { journal, logger }: SenderDeps,
  delivery: DeliveryDoc,
  { owner }: Claim,
): Promise<void> {
  logger.warn({ deliveryId: delivery._id }, 'delivery.claim.too-old');
  const change = { kind: 'pending', delayMs: 0, attempts: [], used: 0 } as const;
  await journal.write({ delivery, owner, change });
}

/** What has expired in the line is looked at anew, and not sent. */
async function entered(
  admission: Admission,
  target: Target,
  isExpired: () => boolean,
): Promise<Permit> {
  const permit = await admission.enter(target);
  if (permit.kind !== 'go' || !isExpired()) return permit;
  permit.abandon();
  return { kind: 'busy', waitMs: 0 };
}

async function claimed(
  journal: Journal,
  { _id }: DeliveryDoc,
  permit: Passed,
): Promise<Claim | undefined> {
  try {
    const claim = await journal.claim(_id);
    if (claim === undefined) permit.abandon();
    return claim;
  } catch (error) {
    permit.abandon();
    throw error;
  }
}

/** Where the trace of its operation is recorded. */
function traceOf({ traceparent }: DeliveryDoc): Pick<DeliveryDoc, 'traceparent'> {
  return traceparent === undefined ? {} : { traceparent };
}

function callDeps({ clock, logger, metrics, workerId, tracer }: SenderDeps): CallDeps {
  return { clock, logger, metrics, workerId, ...(tracer !== undefined && { tracer }) };
}

/** Of several that keep it back, the one that lets go first. */
function sooner(kept: Tried, now: KeptBack): Tried {
  return 'waitMs' in kept && kept.waitMs <= now.waitMs ? kept : now;
}

/** The database's time from here on, by our monotonic clock: our wall clock may be anywhere. */
function databaseClock({ clock }: SenderDeps, { now }: DeliverySnapshot): () => number {
  const startMs = clock.monotonicMs();
  return () => now.getTime() + clock.monotonicMs() - startMs;
}
