import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../config/limits.ts';
import { newOperationId } from '../../../../core/kernel/ids.ts';
import { outboxRows, turnOf } from '../../../../core/events/outbox-rows.ts';

const at = new Date(0);
const eventsOf = (count: number, turn?: number) => {
  const operationId = newOperationId();
  return Array.from({ length: count }, (_, index) => {
    const id = `${operationId}.e${index}`;
    return { id, name: 'x', operationId, ...(turn !== undefined && { turn }) };
  });
};
const rowsOf = (...events: ReturnType<typeof eventsOf>) =>
  outboxRows(new Map([['t', events]]), { batch: 'b', at });

describe('the events of one operation keep their order', () => {
  it('in one row, where a batch has more events than a row takes', () => {
    const max = LIMITS.outboxEventsMax;
    const [one, large, last] = [eventsOf(max - 1), eventsOf(max + 2), eventsOf(1)];
    const rows = rowsOf(...one, ...large, ...last);
    expect(rows.map(({ events }) => events.length)).toEqual([max - 1 + max + 2, 1]);
    expect(rows.flatMap(({ events }) => events)).toEqual([...one, ...large, ...last]);
    expect(rows.map(({ _id }) => _id)).toEqual(['obx_b_0', 'obx_b_1']);
    expect(rowsOf(...eventsOf(max), ...eventsOf(1))).toHaveLength(2);
  });

  it('and from row to row by turns, which stand in the row and not in the events', () => {
    const [first, second] = [eventsOf(2, 3), eventsOf(1, 7)];
    const [row] = rowsOf(...first, ...eventsOf(1), ...second);
    expect(row?.turns).toEqual([
      { operationId: first[0]?.operationId, turn: 3 },
      { operationId: second[0]?.operationId, turn: 7 },
    ]);
    expect(row?.events.some((event) => 'turn' in event)).toBe(false);
    expect(rowsOf(...eventsOf(1))[0]).not.toHaveProperty('turns');
  });

  it('which grow with what it writes, who takes it over and how often it is parked', () => {
    const places = [{ epoch: 0 }, { epoch: 1, rev: 0 }, { epoch: 1, rev: 1 }, { epoch: 2, rev: 1 }];
    const turns = places.map(turnOf);
    expect(turns).toEqual([0, 1, 2, 3]);
  });
});
