import { LIMITS } from '../../../config/limits.ts';
import { charsOf, createBudget } from '../admission/budget.ts';
import { type KeptBack, type SenderDeps, type Tried, tryProviders } from './call-chain.ts';
import type { DeliveryDoc } from './delivery.ts';
import type { DeliveryChange, Reason } from './delivery-write.ts';
import { noteHealth } from '../webhooks/endpoint-health.ts';
import { REFUSALS, messageOf } from './messages.ts';
import type { DeliverySnapshot } from './next-step.ts';
import type { Channel, Provider } from '../ports.ts';
import { suppressionIdOf } from '../suppressions/suppression.ts';
import { putAside } from './paused.ts';
import { verdictOf } from './verdict.ts';

export interface Sender {
  /** A delivery that may go out now. What has changed while it waited for its turn comes back. */
  send(snapshot: DeliverySnapshot): Promise<DeliverySnapshot | undefined>;
}

export function createSender(given: Omit<SenderDeps, 'budget'>): Sender {
  const deps = { ...given, budget: createBudget(LIMITS.deliveryCharsInFlightMax) };
  return Object.freeze({
    send: (snapshot: DeliverySnapshot) => sendOn(deps, snapshot, snapshot.delivery.channel),
  });
}

// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- ties message to provider
async function sendOn<C extends Channel>(
  deps: SenderDeps,
  snapshot: DeliverySnapshot,
  channel: C,
): Promise<DeliverySnapshot | undefined> {
  const { delivery } = snapshot;
  const message = await messageOf(deps, snapshot, channel);
  if (typeof message === 'string') return refuse(deps, delivery, REFUSALS[message](delivery));
  const providers: readonly Provider<C>[] = deps.providers[channel];
  const fitting = providers.filter((provider) => provider.accepts(message));
  if (fitting.length === 0 && deps.isElsewhere(channel)) {
    return putBack(deps, delivery, LIMITS.workerUnfitMs);
  }
  if (fitting.length === 0) return refuse(deps, delivery, REFUSALS.no_provider(delivery));
  const chars = charsOf(message);
  if (!deps.budget.take(chars)) {
    return putBack(deps, delivery, LIMITS.deliveryShareWaitMs * (1 + deps.random()));
  }
  let tried: Tried;
  try {
    tried = await tryProviders(deps, { snapshot, channel, message, providers: fitting });
  } finally {
    deps.budget.giveBack(chars);
  }
  return conclude(deps, delivery, tried);
}

async function conclude(
  deps: SenderDeps,
  delivery: DeliveryDoc,
  tried: Tried,
): Promise<DeliverySnapshot | undefined> {
  switch (tried.kind) {
    case 'taken':
      return undefined;
    case 'changed':
      return tried.snapshot;
    case 'paused':
      await putAside(deps, deps.journal, { ...tried, delivery });
      return undefined;
    case 'busy':
      return putBack(deps, delivery, tried.waitMs);
    case 'open':
    case 'held':
      return putOff(deps, delivery, tried);
    case 'called':
      return settle(deps, tried);
  }
}

async function refuse(
  { journal, metrics }: SenderDeps,
  delivery: DeliveryDoc,
  reason: Reason,
): Promise<undefined> {
  const change = { kind: 'final', status: 'failed', reason, attempts: [], used: 0 } as const;
  await journal.write({ delivery, change });
  metrics.deliveriesFinished.inc({ channel: delivery.channel, status: 'failed' });
}

/** There is no place for it now. */
async function putBack(
  { journal }: SenderDeps,
  delivery: DeliveryDoc,
  waitMs: number,
): Promise<undefined> {
  const delayMs = Math.ceil(waitMs);
  await journal.write({ delivery, change: { kind: 'pending', delayMs, attempts: [], used: 0 } });
}

/** Comes back when the other side may be tried; the admission has seen to it that not all do so at once. */
async function putOff(
  { journal, metrics }: SenderDeps,
  delivery: DeliveryDoc,
  { kind, waitMs, provider }: KeptBack,
): Promise<undefined> {
  const code = kind === 'held' ? 'throttled' : 'breaker_open';
  const delayMs = Math.ceil(waitMs);
  metrics.deliveriesDeferred.inc({ channel: delivery.channel, reason: code });
  const deferral = { code, provider } as const;
  await journal.write({
    delivery,
    change: { kind: 'pending', delayMs, deferral, attempts: [], used: 0 },
  });
}

/** Journals what the calls came to, and draws the conclusions. */
async function settle(
  deps: SenderDeps,
  { snapshot, owner, calls, probedMs }: Tried & { readonly kind: 'called' },
): Promise<undefined> {
  const { delivery, endpoint, now } = snapshot;
  const { journal, metrics, random, policies, failpoint } = deps;
  const { channel, attemptsUsed, throttles = 0 } = delivery;
  const last = calls.at(-1);
  if (last === undefined) return;
  const { outcome } = last;
  const standing = {
    policy: policies.of(delivery.tenantId)[channel],
    attemptsUsed,
    throttles,
    random,
  };
  const verdict = verdictOf(outcome, {
    ...standing,
    ...(probedMs !== undefined && { probedMs }),
  });
  const attempts = calls.map(({ attempt }) => attempt);
  const change = changeOf(verdict, { attempts, provider: last.attempt.provider });
  await journal.write({ delivery, owner, change });
  await failpoint('notify.after-journal');
  if (verdict.kind === 'final') {
    metrics.deliveriesFinished.inc({ channel, status: verdict.status });
    if (verdict.status === 'sent') {
      const seconds = (now.getTime() - delivery.createdAt.getTime()) / 1_000;
      metrics.deliverySeconds.observe({ channel }, Math.max(0, seconds));
    }
  } else if (verdict.kind === 'later') {
    metrics.deliveriesDeferred.inc({ channel, reason: 'throttled' });
  }
  if (endpoint !== undefined) await noteHealth(deps, endpoint, { outcome, now });
  else if (outcome.kind === 'permanent' && outcome.isGone === true) await forget(deps, snapshot);
}

function changeOf(
  verdict: ReturnType<typeof verdictOf>,
  { attempts, provider }: { readonly attempts: DeliveryDoc['attempts']; readonly provider: string },
): DeliveryChange {
  switch (verdict.kind) {
    case 'final': {
      const { status, reason } = verdict;
      return { kind: 'final', status, ...(reason !== undefined && { reason }), attempts, used: 1 };
    }
    case 'again': {
      const { delayMs, reason } = verdict;
      return { kind: 'pending', delayMs, reason, attempts, used: 1 };
    }
    case 'asleep': {
      const { delayMs, reason } = verdict;
      const deferral = { code: 'breaker_open', provider } as const;
      return { kind: 'pending', delayMs, reason, deferral, attempts, used: 0 };
    }
    case 'later': {
      const deferral = { code: 'throttled', provider } as const;
      const { delayMs } = verdict;
      return { kind: 'pending', delayMs, isThrottled: true, deferral, attempts, used: 0 };
    }
  }
}

/** The provider says that there is no such target: nothing is sent there again. */
async function forget(
  { suppressions }: SenderDeps,
  { delivery, now }: DeliverySnapshot,
): Promise<void> {
  const { tenantId, channel, address } = delivery;
  const _id = suppressionIdOf(tenantId, channel, address);
  await suppressions.add({ _id, tenantId, channel, address, reason: 'gone', createdAt: now });
}
