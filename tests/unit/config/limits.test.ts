import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../config/limits.ts';
import { LANES, QUEUES, operationPayload } from '../../../queues/catalog.ts';

/** Relations over files, which the module's own import-time assertions cannot see. */
describe('limits fit together', () => {
  it('a job outlives the stall of its worker within the repair budget', () => {
    for (const { lockDurationMs, stalledIntervalMs } of QUEUES.values()) {
      expect(lockDurationMs + stalledIntervalMs).toBeLessThanOrEqual(LIMITS.repairBudgetMs);
    }
  });

  it('waiting requests cannot use up every connection to MongoDB', () => {
    expect(LIMITS.groupCommitsInFlightMax + LIMITS.settlementSlots).toBeLessThan(
      LIMITS.mongoPoolMax,
    );
  });

  it('an enqueue gives up before a request does', () => {
    expect(LIMITS.enqueueTimeoutMs).toBeLessThan(LIMITS.redisCommandMs);
  });

  it('an operation that is settled late is still one sweep away from its repair', () => {
    expect(LIMITS.recheckMs + LIMITS.sweepIntervalMs + LIMITS.sweepJitterMs).toBeLessThan(
      LIMITS.repairBudgetMs,
    );
    expect(LIMITS.outboxStaleMs + LIMITS.sweepIntervalMs + LIMITS.sweepJitterMs).toBeLessThan(
      LIMITS.repairBudgetMs,
    );
  });

  it('every lane has a queue', () => {
    expect(LANES).toHaveLength(LIMITS.lanes);
    for (const lane of LANES) expect(QUEUES.has(`settlement-${lane}`)).toBe(true);
  });

  it('two slots of as many processes as there are lanes write stripes of their own', () => {
    expect(LIMITS.lanes * LIMITS.settlementSlots).toBeLessThanOrEqual(LIMITS.systemStripes);
  });
});

describe('the payload of a job', () => {
  const payload = {
    ...{ v: 1, operationId: `op_${'0'.repeat(32)}`, tenantId: 't', seq: 1 },
    trace: { correlationId: 'c' },
  };

  it('carries ids and trace context, and nothing else', () => {
    expect(operationPayload.safeParse(payload).success).toBe(true);
    for (const extra of [{ amount: 5 }, { input: {} }, { email: 'x' }]) {
      expect(operationPayload.safeParse({ ...payload, ...extra }).success).toBe(false);
    }
  });

  it.each([
    ...[{ v: 2 }, { seq: 0 }, { seq: 1.5 }, { operationId: 'op_1' }, { tenantId: '' }],
    ...[{ trace: {} }, { operationId: undefined }],
  ])('is refused with %j', (fields) => {
    expect(operationPayload.safeParse({ ...payload, ...fields }).success).toBe(false);
  });
});
