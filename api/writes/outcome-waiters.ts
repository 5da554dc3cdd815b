import { LIMITS } from '../../config/limits.ts';
import { type Clock, startTicker } from '../../core/kernel/clock.ts';
import type { OperationDoc } from '../../core/operations/operation.ts';
import { isForPeople, isSettled } from '../../core/operations/status.ts';
import type { Logger } from '../../core/telemetry/logger.ts';
import type { TenantScope } from '../../core/tenants/tenant.ts';

interface WaitersDeps {
  readonly readMany: (
    tenant: TenantScope,
    ids: readonly string[],
  ) => Promise<readonly OperationDoc[]>;
  /** False while hints may be missed: then it looks more often. */
  readonly isHinted: () => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface WaitOptions {
  readonly timeoutMs: number;
  /** The client has gone away. */
  readonly signal: AbortSignal;
}

/** Requests that wait for the outcome of an operation. */
export interface Waiters {
  /**
   * The operation once it is settled or a person is needed; undefined when the time is over, the
   * client gone, or too many are waiting already.
   */
  wait(
    tenant: TenantScope,
    operationId: string,
    options: WaitOptions,
  ): Promise<OperationDoc | undefined>;
  /** Somebody says that these are settled, or for people. Looked up before anybody is told. */
  hint(operationIds: readonly string[]): void;
  /** Sends everybody away. */
  close(): Promise<void>;
}

/** Waiting longer would not bring the outcome. */
export function isWaitOver(operation: OperationDoc): boolean {
  return isSettled(operation.status) || isForPeople(operation);
}

const POLL_MS = 250;
/** With hints coming in, a poll only catches the ones that were lost. */
const POLLS_SKIPPED_WHEN_HINTED = 3;
/** Hints may come before the request that they are for has begun to wait. */
const RECENT_HINTS_MAX = 20_000;

export function createOutcomeWaiters(deps: WaitersDeps): Waiters {
  const { clock, logger, isHinted } = deps;
  const room = createRoom(clock);
  const recent = createRecent(RECENT_HINTS_MAX);
  const hinted = new Set<string>();
  let isReading = false;
  let skipped = 0;

  const look = async (ids: readonly string[]): Promise<void> => {
    for (const { tenant, own } of byTenant(ids, room.waiting)) {
      for (let start = 0; start < own.length; start += LIMITS.waitersReadMax) {
        const part = own.slice(start, start + LIMITS.waitersReadMax);
        for (const operation of await deps.readMany(tenant, part)) {
          if (isWaitOver(operation)) room.dismiss(operation._id, operation);
        }
      }
    }
  };
  /** Never rejects: what a failed read leaves behind is found by the poll. */
  const lookAtHinted = async (): Promise<void> => {
    if (isReading) return;
    isReading = true;
    try {
      while (hinted.size > 0) {
        const ids = [...hinted];
        hinted.clear();
        await look(ids);
      }
    } catch (err) {
      logger.debug({ err }, 'waiters.read.failed');
    }
    isReading = false;
  };
  const take = (operationId: string): void => {
    if (hinted.size === 0) {
      setImmediate(() => {
        lookAtHinted().catch(() => undefined); // see there
      });
    }
    hinted.add(operationId);
  };
  const poll = startTicker({
    intervalMs: POLL_MS,
    clock,
    run: async () => {
      skipped += 1;
      if (room.waiting.size === 0) return;
      if (isHinted() && skipped <= POLLS_SKIPPED_WHEN_HINTED) return;
      skipped = 0;
      await look([...room.waiting.keys()]);
    },
    onError: (err) => {
      logger.debug({ err }, 'waiters.poll.failed');
    },
  });

  return Object.freeze({
    wait: async (tenant: TenantScope, operationId: string, options: WaitOptions) => {
      const outcome = room.enter(tenant, operationId, options);
      if (recent.has(operationId)) take(operationId);
      return outcome;
    },
    hint: (operationIds: readonly string[]) => {
      for (const operationId of operationIds) {
        recent.add(operationId);
        if (room.waiting.has(operationId)) take(operationId);
      }
    },
    close: async () => {
      room.close();
      await poll.stop();
    },
  });
}

interface Waiting {
  readonly tenant: TenantScope;
  readonly finish: Set<(operation: OperationDoc | undefined) => void>;
}

interface Room {
  readonly waiting: ReadonlyMap<string, Waiting>;
  /** Resolves when dismissed, or with undefined: time over, client gone, room full or closed. */
  enter(
    tenant: TenantScope,
    operationId: string,
    options: WaitOptions,
  ): Promise<OperationDoc | undefined>;
  dismiss(operationId: string, operation: OperationDoc | undefined): void;
  close(): void;
}

function createRoom(clock: Clock): Room {
  const waiting = new Map<string, Waiting>();
  let count = 0;
  let isClosed = false;

  const dismiss = (operationId: string, operation: OperationDoc | undefined): void => {
    for (const finish of waiting.get(operationId)?.finish ?? []) finish(operation);
  };
  const enter: Room['enter'] = async (tenant, operationId, { timeoutMs, signal }) => {
    if (isClosed || signal.aborted || count >= LIMITS.waitersMax) return undefined;
    return new Promise((settle) => {
      const over = new AbortController();
      const entry = waiting.get(operationId) ?? { tenant, finish: new Set() };
      waiting.set(operationId, entry);
      count += 1;
      const finish = (operation: OperationDoc | undefined): void => {
        if (!entry.finish.delete(finish)) return;
        if (entry.finish.size === 0) waiting.delete(operationId);
        count -= 1;
        signal.removeEventListener('abort', leave);
        over.abort();
        settle(operation);
      };
      const leave = (): void => {
        finish(undefined);
      };
      entry.finish.add(finish);
      signal.addEventListener('abort', leave);
      clock.sleep(timeoutMs, over.signal).then(leave, leave);
    });
  };
  return {
    waiting,
    enter,
    dismiss,
    close: () => {
      isClosed = true;
      for (const operationId of [...waiting.keys()]) dismiss(operationId, undefined);
    },
  };
}

interface TenantIds {
  readonly tenant: TenantScope;
  readonly own: string[];
}

function byTenant(
  ids: readonly string[],
  waiting: ReadonlyMap<string, Waiting>,
): readonly TenantIds[] {
  const groups = new Map<string, TenantIds>();
  for (const id of ids) {
    const tenant = waiting.get(id)?.tenant;
    if (tenant === undefined) continue;
    const group = groups.get(tenant.tenantId);
    if (group === undefined) groups.set(tenant.tenantId, { tenant, own: [id] });
    else group.own.push(id);
  }
  return [...groups.values()];
}

/** The last so many ids, the oldest forgotten first. */
function createRecent(max: number): { has(id: string): boolean; add(id: string): void } {
  const ids = new Set<string>();
  return {
    has: (id) => ids.has(id),
    add: (id) => {
      ids.add(id);
      const [oldest] = ids.size > max ? ids : [];
      if (oldest !== undefined) ids.delete(oldest);
    },
  };
}
