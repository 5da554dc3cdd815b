import { LIMITS } from '../../../config/limits.ts';
import { type Budget, charsOf, createBudget } from '../admission/budget.ts';
import { type CallDeps, type Called, callProvider } from './call-provider.ts';
import { CHANNEL_DEFINITIONS } from '../channels/registry.ts';
import { type Materials, TOO_LONG } from '../channels/channel.ts';
import type { DeliveryDoc } from './delivery.ts';
import type { DeliveryChange } from './delivery-store.ts';
import { noteHealth } from '../webhooks/endpoint-health.ts';
import type { Journal } from './delivery-journal.ts';
import type { EngineDeps } from './engine-deps.ts';
import { DIGEST_TEMPLATE } from '../routing/event-rules.ts';
import { callKeyOf, doorOf } from './request-of.ts';
import type { Door, Gate, Passage } from '../admission/admission.ts';
import type { Sight } from './next-step.ts';
import type { Channel, Messages, Provider } from '../ports.ts';
import { suppressionIdOf } from '../suppressions/suppression.ts';
import type { TemplateText } from '../templates/template.ts';
import type { Templates } from '../templates/template-cache.ts';
import { verdictOf } from './verdict.ts';

export interface Sender {
  /** A delivery that may go out now. As `DeliveryEngine.run`. */
  send(sight: Sight): Promise<number | undefined>;
}

type SenderDeps = Omit<EngineDeps, 'deliveries' | 'facts' | 'leaseMs'> & {
  readonly journal: Journal;
  readonly budget: Budget;
};

interface KeptBack {
  readonly kind: 'open' | 'held' | 'busy';
  readonly waitMs: number;
  readonly provider: string;
}

/** What trying the providers of a channel has come to. */
type Tried =
  | { readonly kind: 'called'; readonly owner: string; readonly calls: readonly Called[] }
  | KeptBack
  /** Another worker has it. */
  | { readonly kind: 'taken' };

export function createSender(given: Omit<SenderDeps, 'budget'>): Sender {
  const deps = { ...given, budget: createBudget(LIMITS.deliveryCharsInFlightMax) };
  return Object.freeze({
    send: (sight: Sight) => sendOn(deps, sight, sight.delivery.channel),
  });
}

// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- ties message to provider
async function sendOn<C extends Channel>(
  deps: SenderDeps,
  sight: Sight,
  channel: C,
): Promise<number | undefined> {
  const { delivery } = sight;
  const now = databaseClock(deps, sight);
  const message = CHANNEL_DEFINITIONS[channel].message(await materialsOf(deps.templates, sight));
  if (message === undefined) {
    return refuse(deps, delivery, {
      code: 'template_missing',
      detail: `There is no template ${delivery.template} for ${channel}`,
    });
  }
  if (message === TOO_LONG) {
    const detail = `It would be longer than a message on ${channel} may be`;
    return refuse(deps, delivery, { code: 'too_long', detail });
  }
  const providers: readonly Provider<C>[] = deps.providers[channel];
  const fitting = providers.filter((provider) => provider.accepts(message));
  if (fitting.length === 0 && deps.isElsewhere(channel)) return LIMITS.workerUnfitMs;
  if (fitting.length === 0) {
    const detail = `No provider of ${channel} takes this message`;
    return refuse(deps, delivery, { code: 'no_provider', detail });
  }
  const chars = charsOf(message);
  if (!deps.budget.take(chars)) return Math.ceil(LIMITS.deliveryShareWaitMs * (1 + deps.random()));
  let tried: Tried;
  try {
    tried = await tryProviders(deps, { sight, message, providers: fitting, now });
  } finally {
    deps.budget.giveBack(chars);
  }
  switch (tried.kind) {
    case 'taken':
      return undefined;
    case 'busy':
      return tried.waitMs; // nothing to write: its job comes back in a moment
    case 'open':
    case 'held':
      return putOff(deps, delivery, tried);
    case 'called':
      return settle(deps, sight, tried);
  }
}

/** The database's time from here on, by our monotonic clock: our wall clock may be anywhere. */
function databaseClock({ clock }: SenderDeps, { now }: Sight): () => number {
  const startMs = clock.monotonicMs();
  return () => now.getTime() + clock.monotonicMs() - startMs;
}

async function refuse(
  { journal, metrics }: SenderDeps,
  { _id: id, channel }: DeliveryDoc,
  reason: { readonly code: string; readonly detail: string },
): Promise<undefined> {
  const change = { kind: 'final', status: 'failed', reason, attempts: [], used: 0 } as const;
  await journal.write({ id, change });
  metrics.deliveriesFinished.inc({ channel, status: 'failed' });
}

interface Outgoing<C extends Channel> {
  readonly sight: Sight;
  readonly message: Messages[C];
  readonly providers: readonly Provider<C>[];
  /** By the database's clock. */
  readonly now: () => number;
}

/**
 * The first provider whose breaker lets it through; the next one when it definitely did not take the
 * message. The claim comes after the gate, so that what is kept back costs no write.
 */
async function tryProviders<C extends Channel>(
  deps: SenderDeps,
  { sight, message, providers, now }: Outgoing<C>,
): Promise<Tried> {
  const { delivery } = sight;
  const { gate, journal, failpoint } = deps;
  const policy = deps.policies[delivery.channel];
  // By now: it may have waited for a place.
  const isExpired = (): boolean => now() >= delivery.expiresAt.getTime();
  const calls: Called[] = [];
  let owner: string | undefined;
  let kept: Tried = { kind: 'taken' };
  for (const provider of providers) {
    const breakerKey = provider.breakerKey(message, delivery.tenantId);
    const passage = await entered(gate, doorOf(sight, { provider, breakerKey, policy }), isExpired);
    if (passage.kind !== 'go') {
      kept = sooner(kept, { ...passage, provider: provider.name });
      if (passage.kind === 'busy') break; // it is well: worth waiting for
      continue;
    }
    owner ??= await claimed(journal, delivery, passage);
    if (owner === undefined) return { kind: 'taken' };
    await failpoint('notify.after-claim');
    const { timeoutMs } = policy;
    const call = { provider, message, key: callKeyOf(delivery), timeoutMs, now };
    const called = await callProvider(callDeps(deps), call);
    calls.push(called);
    await passage.leave(called.outcome);
    await failpoint('notify.after-send');
    const { outcome } = called;
    if (outcome.kind !== 'fault' || outcome.mayHaveSent) break;
  }
  return owner === undefined ? kept : { kind: 'called', owner, calls };
}

/** What has expired while it waited comes again at once, and is found to be so. */
async function entered(gate: Gate, door: Door, isExpired: () => boolean): Promise<Passage> {
  const passage = await gate.enter(door);
  if (passage.kind !== 'go' || !isExpired()) return passage;
  passage.abandon();
  return { kind: 'busy', waitMs: 0 };
}

async function claimed(
  journal: Journal,
  { _id }: DeliveryDoc,
  passage: Passage & { readonly kind: 'go' },
): Promise<string | undefined> {
  try {
    const owner = await journal.claim(_id);
    if (owner === undefined) passage.abandon();
    return owner;
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

/** Comes back when the breaker may let one through, not all in the same moment. */
async function putOff(
  { journal, metrics, random }: SenderDeps,
  { _id: id, channel }: DeliveryDoc,
  { kind, waitMs, provider }: KeptBack,
): Promise<number> {
  const code = kind === 'held' ? 'throttled' : 'breaker_open';
  const delayMs = Math.round(waitMs + random() * Math.min(waitMs, LIMITS.deferSpreadMs));
  metrics.deliveriesDeferred.inc({ channel, reason: code });
  const deferral = { code, provider } as const;
  await journal.write({
    id,
    change: { kind: 'pending', delayMs, deferral, attempts: [], used: 0 },
  });
  return delayMs;
}

/** Journals what the calls came to, and draws the conclusions. */
async function settle(
  deps: SenderDeps,
  sight: Sight,
  { owner, calls }: { readonly owner: string; readonly calls: readonly Called[] },
): Promise<number | undefined> {
  const { delivery, endpoint, now } = sight;
  const { journal, metrics, random, policies, failpoint } = deps;
  const { _id: id, channel, attemptsUsed, throttles = 0 } = delivery;
  const last = calls.at(-1);
  if (last === undefined) return undefined;
  const { outcome } = last;
  const verdict = verdictOf(outcome, {
    policy: policies[channel],
    attemptsUsed,
    throttles,
    random,
  });
  const attempts = calls.map(({ attempt }) => attempt);
  const change = changeOf(verdict, { attempts, provider: last.attempt.provider });
  await journal.write({ id, owner, change });
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
  else if (outcome.kind === 'permanent' && outcome.isGone === true) await forget(deps, sight);
  return verdict.kind === 'final' ? undefined : verdict.delayMs;
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
    case 'later': {
      const deferral = { code: 'throttled', provider } as const;
      const { delayMs } = verdict;
      return { kind: 'pending', delayMs, isThrottled: true, deferral, attempts, used: 0 };
    }
  }
}

/** The provider says that there is no such target: nothing is sent there again. */
async function forget({ suppressions }: SenderDeps, { delivery, now }: Sight): Promise<void> {
  const { tenantId, channel, address } = delivery;
  const _id = suppressionIdOf(tenantId, channel, address);
  await suppressions.add({ _id, tenantId, channel, address, reason: 'gone', createdAt: now });
}

async function materialsOf(templates: Templates, sight: Sight): Promise<Materials> {
  const { delivery, now, endpoint } = sight;
  const find = (name: string): Promise<TemplateText | undefined> =>
    templates.find({
      tenantId: delivery.tenantId,
      name,
      channel: delivery.channel,
      ...(delivery.locale !== undefined && { locale: delivery.locale }),
    });
  const isGiven =
    delivery.content !== undefined || !CHANNEL_DEFINITIONS[delivery.channel].hasTemplate;
  const template = isGiven ? undefined : await find(delivery.template);
  const shared = {
    delivery,
    now,
    ...(endpoint !== undefined && { endpoint }),
    ...(template !== undefined && { template }),
  };
  if (delivery.template !== DIGEST_TEMPLATE) return shared;
  const names = [...new Set((delivery.items ?? []).map(({ name }) => name))];
  const found = await Promise.all(names.map(async (name) => [name, await find(name)] as const));
  const known = found.flatMap(([name, text]) =>
    text === undefined ? [] : [[name, text] as const],
  );
  return { ...shared, itemTemplates: new Map(known) };
}
