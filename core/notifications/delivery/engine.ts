import { assertNever } from '../../kernel/assert.ts';
import type { DeliveryId } from './delivery.ts';
import { type Journal, createDeliveryJournal } from './delivery-journal.ts';
import type { DeliveryChange } from './delivery-store.ts';
import type { EngineDeps } from './engine-deps.ts';
import { type Sight, nextStep } from './next-step.ts';
import { attemptsMax } from '../policies.ts';
import { createSender } from './sender.ts';
import { createSights } from './snapshots.ts';

export interface DeliveryEngine {
  /**
   * Takes a delivery one step further, whatever it is waiting for. Returns after how many
   * milliseconds its job should come again; undefined: there is nothing left to do.
   */
  run(id: DeliveryId): Promise<number | undefined>;
}

export function createDeliveryEngine(deps: EngineDeps): DeliveryEngine {
  const { policies, metrics } = deps;
  const sights = createSights(deps);
  const journal = createDeliveryJournal(deps);
  const sender = createSender({ ...deps, journal });

  const finish = async (
    { delivery }: Sight,
    change: DeliveryChange & { readonly kind: 'final' },
  ): Promise<undefined> => {
    await journal.write({ id: delivery._id, change });
    metrics.deliveriesFinished.inc({ channel: delivery.channel, status: change.status });
  };

  const step = async (sight: Sight): Promise<number | undefined> => {
    const { delivery } = sight;
    const next = nextStep(sight, policies[delivery.channel]);
    switch (next.kind) {
      case 'idle':
        return undefined;
      case 'wait':
        return next.ms;
      case 'take-over':
        return takeOver(deps, journal, sight);
      case 'finish': {
        const { status, reason } = next;
        return finish(sight, { kind: 'final', status, reason, attempts: [], used: 0 });
      }
      case 'defer': {
        metrics.deliveriesDeferred.inc({ channel: delivery.channel, reason: next.code });
        const { delayMs, code, lifeMs } = next;
        const life = lifeMs === undefined ? {} : { lifeMs };
        const change = { kind: 'pending', delayMs, ...life, attempts: [], used: 0 } as const;
        await journal.write({ id: delivery._id, change: { ...change, deferral: { code } } });
        return delayMs;
      }
      case 'send':
        return sender.send(sight);
      default:
        return assertNever(next);
    }
  };

  return Object.freeze({
    run: async (id: DeliveryId) => {
      const sight = await sights.add(id);
      return sight === 'gone' ? undefined : step(sight);
    },
  });
}

/** What a dead worker did with it is unknown: again, unless it must not arrive twice. */
async function takeOver(
  { policies, workerId, metrics, logger }: EngineDeps,
  journal: Journal,
  { delivery, now: at }: Sight,
): Promise<number | undefined> {
  const { _id: id, channel, owner, attemptsUsed } = delivery;
  if (owner === undefined) return undefined;
  const policy = policies[channel];
  const reason = { code: 'interrupted', detail: 'Its worker died while it was being sent' };
  const attempt = { ...reason, provider: '', outcome: 'interrupted', at, ms: 0, worker: workerId };
  const record = { attempts: [{ ...attempt, outcome: 'interrupted' as const }], used: 1, reason };
  logger.warn({ deliveryId: id, channel }, 'delivery.interrupted');
  const status = policy.isAtMostOnce ? 'uncertain' : 'failed';
  if (policy.isAtMostOnce || attemptsUsed + 1 >= attemptsMax(policy)) {
    await journal.write({ id, owner, change: { ...record, used: 1, kind: 'final', status } });
    metrics.deliveriesFinished.inc({ channel, status });
    return undefined;
  }
  await journal.write({ id, owner, change: { ...record, used: 1, kind: 'pending', delayMs: 0 } });
  return 0;
}
