import { describe, expect, it } from 'vitest';
import {
  OPERATIONS,
  OPERATION_TYPES,
  type OperationType,
} from '../../../../core/operation-types/registry.ts';
import { AT } from '../../../support/memory-ledger.ts';
import { type Scenario, createScenario } from '../../../support/scenario.ts';
import { CASES, type Case, ann, pay } from './refusal-cases.ts';

function inputOf({ input }: Case, scenario: Scenario): object {
  return isMade(input) ? input(scenario) : input;
}

function isMade(input: Case['input']): input is (scenario: Scenario) => object {
  return typeof input === 'function';
}

const ROWS = Object.entries(CASES).flatMap(([type, cases]) =>
  cases.map((one, index): [OperationType, string, number, Case] => [
    ...([type as OperationType, one.becomes, index + 1, one] as const),
  ]),
);

describe('every operation type', () => {
  it.each(ROWS)(
    '%s becomes %s (case %i), and a refusal leaves no trace',
    (type, becomes, _n, one) => {
      const scenario = createScenario();
      one.before?.(scenario);
      const input = inputOf(one, scenario);
      const { ledger } = scenario;
      const before = structuredClone({
        ...ledger,
        settle: undefined,
        wallet: undefined,
        events: [],
      });
      expect(scenario.tell(type, input)).toBe(becomes);
      if (becomes === 'succeeded') return;
      expect({ ...ledger, settle: undefined, wallet: undefined, events: [] }).toEqual(before);
      expect(ledger.events.at(-1)?.name).toBe('operation.rejected');
    },
  );

  it('is in the table above', () => {
    const atomic = OPERATION_TYPES.filter((type) => OPERATIONS[type].mode === 'atomic');
    expect([...Object.keys(CASES), 'batch'].sort()).toEqual([...atomic].sort());
  });
});

describe('a hold that has expired', () => {
  const later = { at: new Date(AT.getTime() + 10_000) };
  const expiresAt = new Date(AT.getTime() + 10_000).toISOString();

  it('cannot be captured, and gives back its funds on release as expired', () => {
    const scenario = createScenario();
    scenario.do('hold.place', { ...ann, amount: 60, expiresAt });
    const holdId = scenario.lastId('hld');
    expect(scenario.tell('hold.capture', { holdId }, later)).toBe('rejected hold_expired');
    expect(scenario.ledger.wallet('ann').lockedBalance).toBe(60n);
    expect(scenario.tell('hold.release', { holdId }, later)).toBe('succeeded');
    expect(scenario.ledger.wallet('ann').lockedBalance).toBe(0n);
    expect(scenario.ledger.holds.get(holdId)).toMatchObject({ status: 'expired', released: 60n });
    expect(scenario.ledger.events.map(({ name }) => name)).toContain('hold.expired');
  });

  it('meanwhile is captured all the same: a wait for its turn takes nothing from a capture', () => {
    const scenario = createScenario();
    scenario.do('hold.place', { ...ann, amount: 60, expiresAt });
    const holdId = scenario.lastId('hld');
    const inTime = { ...later, extras: { createdAt: new Date(later.at.getTime() - 1) } };
    const scheduled = { ...later, extras: { createdAt: AT, requestedRunAt: later.at } };
    expect(scenario.tell('hold.capture', { holdId }, scheduled)).toBe('rejected hold_expired');
    expect(scenario.tell('hold.capture', { holdId, amount: 20 }, inTime)).toBe('succeeded');
    expect(scenario.tell('hold.release', { holdId }, inTime)).toBe('succeeded');
    expect(scenario.ledger.holds.get(holdId)).toMatchObject({ captured: 20n, status: 'released' });
    const late = { ...ann, amount: 5, expiresAt };
    expect(scenario.tell('hold.place', late, later)).toBe('rejected hold_expired');
    expect(scenario.tell('hold.place', late, inTime)).toBe('succeeded');
  });
});

describe('what belongs to another tenant', () => {
  it('does not exist: transfers and holds included', () => {
    const scenario = createScenario();
    scenario.do('transfer', pay(10));
    const transferId = scenario.lastId('trf');
    scenario.do('hold.place', { ...ann, amount: 10 });
    const holdId = scenario.lastId('hld');
    const foreign = { extras: { tenantId: 'other' } };
    expect(scenario.tell('transfer.reverse', { transferId }, foreign)).toBe(
      'rejected transfer_not_found',
    );
    expect(scenario.tell('hold.capture', { holdId }, foreign)).toBe('rejected hold_not_found');
    expect(scenario.tell('hold.release', { holdId }, foreign)).toBe('rejected hold_not_found');
    expect(scenario.tell('wallet.credit', { ...ann, amount: 1 }, foreign)).toBe(
      'rejected wallet_not_found',
    );
    expect(scenario.tell('user.create', { userId: 'ann' }, foreign)).toBe('succeeded');
  });
});
