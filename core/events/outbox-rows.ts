import { LIMITS } from '../../config/limits.ts';
import type { OutboxEvent, OutboxRow, RowTurn } from './outbox.ts';

/**
 * Grows from row to row of an operation: every journal write moves `rev`, everything else that ends
 * or parks it moves `epoch`.
 */
export function turnOf({
  epoch,
  rev = 0,
}: {
  readonly epoch: number;
  readonly rev?: number;
}): number {
  return epoch + rev;
}

/**
 * Splits a batch's events into rows of bounded size, one tenant each. The events of an operation
 * stay in one row: rows are dealt with at the same time, and would overtake each other.
 */
export function outboxRows(
  eventsByTenant: ReadonlyMap<string, readonly OutboxEvent[]>,
  options: { readonly batch: string; readonly at: Date },
): OutboxRow[] {
  const rows: OutboxRow[] = [];
  for (const [tenantId, events] of eventsByTenant) {
    for (const part of partsOf(events)) {
      const turns = turnsOf(part);
      rows.push({
        _id: `obx_${options.batch}_${rows.length}`,
        tenantId,
        events: part.map(withoutTurn),
        ...(turns.length > 0 && { turns }),
        nextCheckAt: new Date(options.at.getTime() + LIMITS.outboxStaleMs),
        createdAt: options.at,
      });
    }
  }
  return rows;
}

function partsOf(events: readonly OutboxEvent[]): readonly (readonly OutboxEvent[])[] {
  const parts: OutboxEvent[][] = [];
  let part: OutboxEvent[] = [];
  for (const event of events) {
    const isOfLast =
      event.operationId !== undefined && event.operationId === part.at(-1)?.operationId;
    if (part.length >= LIMITS.outboxEventsMax && !isOfLast) part = [];
    if (part.length === 0) parts.push(part);
    part.push(event);
  }
  return parts;
}

function turnsOf(events: readonly OutboxEvent[]): readonly RowTurn[] {
  const turns = new Map<string, RowTurn>();
  for (const { operationId, turn } of events) {
    if (operationId === undefined || turn === undefined) continue;
    turns.set(operationId, { operationId, turn });
  }
  return [...turns.values()];
}

function withoutTurn({ turn: _turn, ...event }: OutboxEvent): OutboxEvent {
  return event;
}
