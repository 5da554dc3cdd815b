import { LIMITS } from '../../../config/limits.ts';
import { assertNever } from '../../kernel/assert.ts';
import {
  type DeliveryDoc,
  type DeliveryId,
  type DeliveryInJob,
  deliveryJobId,
  jobOfDelivery,
} from './delivery.ts';
import { type Journal, createDeliveryJournal } from './delivery-journal.ts';
import type { EngineDeps } from './engine-deps.ts';
import { type NextStep, type DeliverySnapshot, nextStep } from './next-step.ts';
import { attemptsMax } from '../policies.ts';
import { createSender } from './sender.ts';
import { pausedAt, putAside } from './paused.ts';
import { createSnapshots } from './snapshots.ts';

export interface DeliveryEngine {
  /**
   * Takes a delivery one step further, whatever it is waiting for. What must come again has another
   * job when this resolves; it does not reject. `jobId`: of the job that has brought it.
   */
  run(delivery: DeliveryInJob, jobId: string): Promise<void>;
}

export function createDeliveryEngine(deps: EngineDeps): DeliveryEngine {
  const { policies, logger, random } = deps;
  const snapshots = createSnapshots(deps);
  const journal = createDeliveryJournal(deps);
  const look = (id: DeliveryId): Promise<DeliverySnapshot | 'gone'> => snapshots.add(id);
  const sender = createSender({ ...deps, journal, look });

  const step = async (snapshot: DeliverySnapshot, jobId: string): Promise<void> => {
    const { delivery } = snapshot;
    const next = nextStep(snapshot, policies.of(delivery.tenantId)[delivery.channel]);
    if (next.kind === 'send') {
      const paused = pausedAt(deps, delivery);
      if (paused !== undefined) return putAside(deps, journal, { delivery, pause: paused });
    }
    switch (next.kind) {
      case 'idle':
        return;
      case 'wait':
        await wait(journal, { delivery, ms: next.ms, jobId });
        return;
      case 'take-over':
        await takeOver(deps, journal, snapshot);
        return;
      case 'finish':
      case 'defer':
        await record(deps, journal, { delivery, next });
        return;
      case 'send': {
        const changed = await sender.send(snapshot);
        if (changed !== undefined) await step(changed, jobId);
        return;
      }
      default:
        assertNever(next);
    }
  };

  return Object.freeze({
    run: async (delivery: DeliveryInJob, jobId: string) => {
      try {
        const snapshot = await look(delivery._id);
        if (snapshot !== 'gone') await step(snapshot, jobId);
      } catch (err) {
        // Ours to bear: its neighbours go on, and it comes again by itself.
        logger.warn({ err, deliveryId: delivery._id }, 'delivery.troubled');
        await journal.again(delivery, Math.ceil(LIMITS.deliveryTroubleMs * (1 + random())));
      }
    },
  });
}

interface Waiting {
  readonly delivery: DeliveryDoc;
  readonly ms: number;
  /** Of the job that has come too early. */
  readonly jobId: string;
}

/**
 * One that is not due has a job for its time, if it is not this one. One that another worker has comes
 * again when that one's time is up.
 */
async function wait(journal: Journal, { delivery, ms, jobId }: Waiting): Promise<void> {
  if (delivery.status === 'sending') {
    await journal.again(delivery, ms);
    return;
  }
  if (jobId !== deliveryJobId(jobOfDelivery(delivery))) return;
  const change = { kind: 'pending', delayMs: Math.ceil(ms), attempts: [], used: 0 } as const;
  await journal.write({ delivery, change });
}

interface Decided {
  readonly delivery: DeliveryDoc;
  readonly next: NextStep & { readonly kind: 'finish' | 'defer' };
}

/** What is decided without a call. */
async function record(
  { metrics }: Pick<EngineDeps, 'metrics'>,
  journal: Journal,
  { delivery, next }: Decided,
): Promise<void> {
  const { channel } = delivery;
  if (next.kind === 'finish') {
    const { status, reason } = next;
    const change = { kind: 'final', status, reason, attempts: [], used: 0 } as const;
    await journal.write({ delivery, change });
    metrics.deliveriesFinished.inc({ channel, status });
    return;
  }
  const { delayMs, code, lifeMs } = next;
  metrics.deliveriesDeferred.inc({ channel, reason: code });
  const life = lifeMs === undefined ? {} : { lifeMs };
  const change = { kind: 'pending', delayMs, ...life, attempts: [], used: 0 } as const;
  await journal.write({ delivery, change: { ...change, deferral: { code } } });
}

/**
 * What a dead worker did with it is unknown: again, unless it must not arrive twice. The first time
 * may have been a neighbour's doing: only when it is interrupted again does that count.
 */
async function takeOver(
  { policies, workerId, metrics, logger }: EngineDeps,
  journal: Journal,
  { delivery, now: at }: DeliverySnapshot,
): Promise<void> {
  const { _id: id, channel, owner, attempts, attemptsUsed } = delivery;
  if (owner === undefined) return;
  const policy = policies.of(delivery.tenantId)[channel];
  const reason = { code: 'interrupted', detail: 'Its worker died while it was being sent' };
  const attempt = { ...reason, provider: '', outcome: 'interrupted', at, ms: 0, worker: workerId };
  const record = { attempts: [{ ...attempt, outcome: 'interrupted' as const }], reason };
  logger.warn({ deliveryId: id, channel }, 'delivery.interrupted');
  const status = policy.isAtMostOnce ? 'uncertain' : 'failed';
  const used = attempts.some(({ outcome }) => outcome === 'interrupted') ? 1 : 0;
  if (policy.isAtMostOnce || attemptsUsed + used >= attemptsMax(policy)) {
    const change = { ...record, used: 1, kind: 'final', status } as const;
    await journal.write({ delivery, owner, change });
    metrics.deliveriesFinished.inc({ channel, status });
    return;
  }
  const change = { ...record, used, kind: 'pending', delayMs: 0 } as const;
  await journal.write({ delivery, owner, change, isAlone: true });
}
