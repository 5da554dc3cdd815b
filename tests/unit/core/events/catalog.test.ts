import { describe, expect, it } from 'vitest';
import { EVENTS, EVENT_NAMES } from '../../../../core/events/catalog.ts';
import { STATUSES, isSettled } from '../../../../core/operations/status.ts';

describe('the catalogue of events', () => {
  it('has one for everything that an operation can come to, and for nothing else of operations', () => {
    const outcomes = STATUSES.filter(isSettled).map((status) => `operation.${status}`);
    const listed = EVENT_NAMES.filter((name) => name.startsWith('operation.'));
    expect(listed.toSorted()).toEqual(outcomes.toSorted());
  });

  it('says of each in a sentence what has happened', () => {
    for (const { summary } of Object.values(EVENTS)) expect(summary).toMatch(/^[A-Z].{10,}[^.]$/);
  });

  it('takes no amount that is not in minor units, and no field that it does not know', () => {
    const told = { userId: 'ann', currency: 'EUR', amount: '100' };
    const { data } = EVENTS['bonus.awarded'];
    expect(data.safeParse(told).success).toBe(true);
    expect(data.safeParse({ ...told, amount: '1.00' }).success).toBe(false);
    expect(data.safeParse({ ...told, iban: 'DE1' }).success).toBe(false);
    expect(data.safeParse({ userId: 'ann', currency: 'EUR' }).success).toBe(false);
  });
});
