import { LIMITS } from '../../../config/limits.ts';
import type { Budget } from '../admission/budget.ts';
import { type CallDeps, type Called, callProvider } from './call-provider.ts';
import type { DeliveryDoc, DeliveryId } from './delivery.ts';
import type { Claim, Journal } from './delivery-journal.ts';
import { callKeyOf, doorOf } from './request-of.ts';
import type { EngineDeps } from './engine-deps.ts';
import type { Door, Gate, Left, Passage } from '../admission/admission.ts';
import { messageOf } from './messages.ts';
import { type Sight, nextStep } from './next-step.ts';
import type { Channel, Messages, Provider } from '../ports.ts';

export type SenderDeps = Omit<EngineDeps, 'deliveries' | 'facts' | 'publisher'> & {
  readonly journal: Journal;
  readonly look: (id: DeliveryId) => Promise<Sight | 'gone'>;
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
      readonly sight: Sight;
      readonly owner: string;
      readonly calls: readonly Called[];
      /** The last call was to see whether the other side is back: for how long it is left alone now. */
      readonly probedMs?: number;
    }
  | KeptBack
  /** It is not as it was read: to be looked at anew. */
  | { readonly kind: 'changed'; readonly sight: Sight }
  /** Another worker has it, or it is not there any more. */
  | { readonly kind: 'taken' };

export interface Outgoing<C extends Channel> {
  readonly sight: Sight;
  readonly channel: C;
  readonly message: Messages[C];
  readonly providers: readonly Provider<C>[];
}

/**
 * The first provider whose breaker lets it through; the next one when it definitely did not take the
 * message. The claim comes after the gate, so that what is kept back costs no write.
 */
export async function tryProviders<C extends Channel>(
  deps: SenderDeps,
  outgoing: Outgoing<C>,
): Promise<Tried> {
  const { channel, providers, sight } = outgoing;
  const { delivery } = sight;
  const policy = deps.policies[channel];
  const { timeoutMs } = policy;
  const now = databaseClock(deps, sight);
  // By now: it may have waited for a place.
  const isExpired = (): boolean => now() >= delivery.expiresAt.getTime();
  const calls: Called[] = [];
  let held: Held<C> | undefined;
  let left: Left | undefined;
  let kept: Tried = { kind: 'taken' };
  for (const provider of providers) {
    const { message } = held ?? outgoing;
    const breakerKey = provider.breakerKey(message, delivery.tenantId);
    const door = doorOf(sight, { provider, breakerKey, policy });
    const passage = await entered(deps.gate, door, isExpired);
    if (passage.kind !== 'go') {
      kept = sooner(kept, { ...passage, provider: provider.name });
      if (passage.kind === 'busy') break; // it is well: worth waiting for
      continue;
    }
    const taken = held ?? (await takenOf(deps, { ...outgoing, message }, passage));
    if ('kind' in taken) return taken;
    held = taken;
    if (!(await mayCall(deps, { held, passage, isFirst: calls.length === 0 }))) break;
    const call = { provider, message: held.message, key: callKeyOf(delivery), timeoutMs, now };
    const called = await callProvider(callDeps(deps), call);
    calls.push(called);
    left = await passage.leave(called.outcome);
    await deps.failpoint('notify.after-send');
    if (!leavesItToOthers(called)) break;
  }
  return held === undefined ? kept : calledOf(held, calls, left);
}

/** The provider definitely has not taken it. */
function leavesItToOthers({ outcome }: Called): boolean {
  return outcome.kind === 'fault' && !outcome.mayHaveSent;
}

/** A delivery that is ours. */
interface Held<C extends Channel> {
  readonly sight: Sight;
  readonly message: Messages[C];
  readonly claim: Claim;
}

function calledOf(
  { sight, claim: { owner } }: Pick<Held<Channel>, 'sight' | 'claim'>,
  calls: readonly Called[],
  left: Left | undefined,
): Tried {
  if (calls.length === 0) return { kind: 'taken' };
  const probed = left?.isProbe === true ? { probedMs: left.openMs } : {};
  return { kind: 'called', sight, owner, calls, ...probed };
}

type Passed = Passage & { readonly kind: 'go' };

/** It has a place: what was read is still so, and nobody else has it. */
async function takenOf<C extends Channel>(
  deps: SenderDeps,
  outgoing: Omit<Outgoing<C>, 'providers'>,
  passage: Passed,
): Promise<Held<C> | (Tried & { kind: 'changed' | 'taken' })> {
  const renewed = await renewedOf(deps, outgoing);
  if ('kind' in renewed) {
    passage.abandon();
    return renewed;
  }
  const claim = await claimed(deps.journal, outgoing.sight.delivery, passage);
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
  { sight, message, channel }: Omit<Outgoing<C>, 'providers'>,
): Promise<Pick<Outgoing<C>, 'sight' | 'message'> | (Tried & { kind: 'changed' | 'taken' })> {
  if (isFresh(deps, sight)) return { sight, message };
  const fresh = await deps.look(sight.delivery._id);
  if (fresh === 'gone') return { kind: 'taken' };
  const isSame =
    nextStep(fresh, deps.policies[channel]).kind === 'send' &&
    fresh.delivery.address === sight.delivery.address &&
    fresh.endpoint?.url === sight.endpoint?.url;
  if (!isSame) return { kind: 'changed', sight: fresh };
  const renewed = await messageOf(deps, fresh, channel);
  return typeof renewed === 'string'
    ? { kind: 'changed', sight: fresh }
    : { sight: fresh, message: renewed };
}

function isFresh({ clock }: SenderDeps, { readMs }: Sight): boolean {
  return clock.monotonicMs() - readMs <= LIMITS.deliverySightMsMax;
}

interface Standing {
  readonly held: Pick<Held<Channel>, 'sight' | 'claim'>;
  readonly passage: Passed;
  readonly isFirst: boolean;
}

/**
 * The claim lasts as long as a call may take, by a clock that nobody sets, and what was read is still
 * young. Else nothing is sent.
 */
async function mayCall(deps: SenderDeps, { held, passage, isFirst }: Standing): Promise<boolean> {
  const { clock, leaseMs, policies } = deps;
  const { sight, claim } = held;
  // Where leases are shorter than calls, as in tests, most of it must be left.
  const spareMs = Math.max(leaseMs - policies[sight.delivery.channel].timeoutMs, leaseMs / 4);
  const isAlive = clock.monotonicMs() - claim.askedMs <= spareMs;
  if (isAlive && (!isFirst || isFresh(deps, sight))) return true;
  passage.abandon();
  if (isFirst) await letGo(deps, sight.delivery, claim);
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
async function entered(gate: Gate, door: Door, isExpired: () => boolean): Promise<Passage> {
  const passage = await gate.enter(door);
  if (passage.kind !== 'go' || !isExpired()) return passage;
  passage.abandon();
  return { kind: 'busy', waitMs: 0 };
}

async function claimed(
  journal: Journal,
  { _id }: DeliveryDoc,
  passage: Passed,
): Promise<Claim | undefined> {
  try {
    const claim = await journal.claim(_id);
    if (claim === undefined) passage.abandon();
    return claim;
  } catch (error) {
    passage.abandon();
    throw error;
  }
}

function callDeps({ clock, logger, metrics, workerId }: SenderDeps): CallDeps {
  return { clock, logger, metrics, workerId };
}

/** Of several that keep it back, the one that lets go first. */
function sooner(kept: Tried, now: KeptBack): Tried {
  return 'waitMs' in kept && kept.waitMs <= now.waitMs ? kept : now;
}

/** The database's time from here on, by our monotonic clock: our wall clock may be anywhere. */
function databaseClock({ clock }: SenderDeps, { now }: Sight): () => number {
  const startMs = clock.monotonicMs();
  return () => now.getTime() + clock.monotonicMs() - startMs;
}
