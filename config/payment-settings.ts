import { PAYMENT_BREAKER } from './breakers.ts';
import { LIMITS } from './limits.ts';
import { breakerRows, numberRow } from './setting-row.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const breaker = breakerRows(PAYMENT_BREAKER, ['provider'], 2 * SECOND);

/** Of calls to payment providers; rows of `SETTINGS`. */
export const PAYMENT_SETTINGS = {
  'payment.timeoutMs': numberRow({
    summary: 'A call that has not been answered by then has failed',
    ...{ unit: 'ms', default: 15 * SECOND, floor: 100, ceiling: LIMITS.providerAttemptMs },
    by: ['provider', 'tenant'],
  }),
  'payment.attemptsMax': numberRow({
    summary:
      'Attempts at a step that the provider does not understand, before a person has to look',
    ...{ unit: 'count', default: 8, floor: 1, ceiling: 100 },
    by: ['provider', 'tenant'],
  }),
  'payment.retryBaseMs': numberRow({
    summary: 'Pause after the first failed attempt; doubled each time',
    ...{ unit: 'ms', default: 250, floor: 1, ceiling: 10 * MINUTE },
    by: ['provider', 'tenant'],
  }),
  'payment.retryCapMs': numberRow({
    summary: 'Longest such pause',
    ...{ unit: 'ms', default: MINUTE, floor: 1, ceiling: HOUR },
    by: ['provider', 'tenant'],
  }),
  'payment.patienceMs': numberRow({
    summary: 'A step waits so long for a provider that does not answer, then a person has to look',
    ...{ unit: 'ms', default: LIMITS.paymentPatienceMs, floor: SECOND, ceiling: 30 * 24 * HOUR },
    by: ['provider', 'tenant'],
  }),
  'payment.inFlightMax': numberRow({
    summary: 'Calls of one process to it at once; 0: an eighth of saga.concurrency',
    ...{ unit: 'count', default: 0, floor: 0, ceiling: 1_024 },
    by: ['provider'],
  }),
  'payment.ratePerSecond': numberRow({
    summary: 'Calls per second, over all processes; 0: no limit of ours',
    ...{ unit: 'per second', default: 0, floor: 0, ceiling: 100_000 },
    by: ['provider'],
  }),
  'payment.tenantRatePerSecond': numberRow({
    summary: 'The same of one tenant, within that; 0: none',
    ...{ unit: 'per second', default: 0, floor: 0, ceiling: 100_000 },
    by: ['provider', 'tenant'],
  }),
  'payment.placeWaitMs': numberRow({
    summary: 'A saga waits so long in its process while the provider is merely busy',
    ...{ unit: 'ms', default: LIMITS.paymentWaitMs, floor: 0, ceiling: 15 * SECOND },
    by: ['provider'],
  }),
  'payment.holdMsMax': numberRow({
    summary: 'Calls of others are held back no longer than this when it asks for patience',
    ...{ unit: 'ms', default: LIMITS.paymentHoldMsMax, floor: 0, ceiling: HOUR },
    by: ['provider'],
  }),
  'payment.breaker.windowMs': breaker.windowMs,
  'payment.breaker.failureShare': breaker.failureShare,
  'payment.breaker.samplesMin': breaker.samplesMin,
  'payment.breaker.openMs': breaker.openMs,
  'payment.breaker.openMsMax': breaker.openMsMax,
  'payment.breaker.probeMs': breaker.probeMs,
  'payment.breaker.recheckMs': breaker.recheckMs,
} as const;
