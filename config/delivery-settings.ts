import { DELIVERY_BREAKER } from './breakers.ts';
import { byChannel } from './channel-defaults.ts';
import { LIMITS } from './limits.ts';
import { breakerRows, listRow, numberRow, switchRow } from './setting-row.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const breaker = breakerRows(DELIVERY_BREAKER, ['channel', 'provider'], SECOND);

/** Of deliveries to users and webhooks; rows of `SETTINGS`. */
export const DELIVERY_SETTINGS = {
  'delivery.pausesMs': listRow({
    summary: 'Pause after each failed attempt; one attempt more than there are pauses',
    unit: 'ms',
    ...{ default: [], floor: 0, ceiling: 48 * HOUR, itemsMax: 30 },
    byChannel: byChannel(({ pausesMs }) => pausesMs),
    ...{ by: ['channel', 'tenant'], tenantMay: true },
  }),
  'delivery.jitter': numberRow({
    summary: 'Share of a pause that it may be shorter or longer',
    ...{ unit: 'share', default: 0.2, floor: 0, ceiling: 1 },
    byChannel: byChannel(({ jitter }) => jitter),
    ...{ by: ['channel', 'tenant'], tenantMay: true },
  }),
  'delivery.timeoutMs': numberRow({
    summary: 'A provider that has not answered by then has failed',
    ...{ unit: 'ms', default: 15 * SECOND, floor: 100 },
    ceiling: LIMITS.deliveryLeaseMs - LIMITS.deliveryMarginMs,
    byChannel: byChannel(({ timeoutMs }) => timeoutMs),
    ...{ by: ['channel', 'provider', 'tenant'], tenantMay: true },
  }),
  'delivery.lifeMs': numberRow({
    summary: 'What has not been sent by then is too late; of what is made from now on',
    ...{ unit: 'ms', default: 72 * HOUR, floor: SECOND, ceiling: 30 * 24 * HOUR },
    byChannel: byChannel(({ lifeMs }) => lifeMs),
    ...{ by: ['channel', 'tenant'], tenantMay: true },
  }),
  'delivery.quietHours': switchRow({
    summary: "Waits for the end of the user's quiet hours",
    default: false,
    byChannel: byChannel(({ isQuiet }) => isQuiet),
    ...{ by: ['channel', 'tenant'], tenantMay: true },
  }),
  'delivery.ratePerSecond': numberRow({
    summary: 'Messages per second and provider, over all processes; 0: no limit of ours',
    ...{ unit: 'per second', default: 0, floor: 0, ceiling: 100_000 },
    byChannel: byChannel(({ ratePerSecond }) => ratePerSecond),
    by: ['channel', 'provider'],
  }),
  'delivery.tenantRatePerSecond': numberRow({
    summary: 'The same of one tenant, within that; 0: none',
    ...{ unit: 'per second', default: 0, floor: 0, ceiling: 100_000 },
    by: ['channel', 'provider', 'tenant'],
  }),
  'delivery.inFlightMax': numberRow({
    summary: 'Calls of one process to one provider (webhooks, Web Push: one host) at once',
    ...{ unit: 'count', default: 32, floor: 1, ceiling: 1_024 },
    byChannel: byChannel(({ inFlightMax }) => inFlightMax),
    by: ['channel', 'provider'],
  }),
  'delivery.handMax': numberRow({
    summary: 'Taken from the queue and not yet dealt with, in one process and of one channel',
    ...{ unit: 'count', default: LIMITS.deliveryHandMax, floor: 1, ceiling: 16_384 },
    by: ['channel'],
  }),
  'delivery.readyMin': numberRow({
    summary: 'More are fetched while fewer than these are about to be sent',
    ...{ unit: 'count', default: LIMITS.deliveryReadyMin, floor: 1, ceiling: 4_096 },
    by: ['channel'],
  }),
  'delivery.tenantShareMax': numberRow({
    summary: 'What one tenant has under way or in a line on one channel of a process',
    ...{ unit: 'count', default: LIMITS.deliveryShareMax, floor: 1, ceiling: 8_192 },
    by: ['channel', 'tenant'],
  }),
  'delivery.lineMax': numberRow({
    summary: 'Waiting for a place at one host, in one process',
    ...{ unit: 'count', default: LIMITS.deliveryLineMax, floor: 1, ceiling: 4_096 },
  }),
  'delivery.linesMax': numberRow({
    summary: 'The same at all hosts of a channel',
    ...{ unit: 'count', default: LIMITS.deliveryLinesMax, floor: 1, ceiling: 8_192 },
  }),
  'delivery.placeWaitMs': numberRow({
    summary: 'Waits so long for a place before it is put back',
    ...{ unit: 'ms', default: LIMITS.deliveryWaitMs, floor: 0, ceiling: 10 * SECOND },
    by: ['channel'],
  }),
  'delivery.throttledMs': numberRow({
    summary: 'First pause after a throttle that says no time; doubled each time',
    ...{ unit: 'ms', default: LIMITS.throttledMs, floor: 100, ceiling: HOUR },
    by: ['channel', 'tenant'],
  }),
  'delivery.throttledMsMax': numberRow({
    summary: 'Longest such pause',
    ...{ unit: 'ms', default: LIMITS.throttledMsMax, floor: 100, ceiling: 24 * HOUR },
    by: ['channel', 'tenant'],
  }),
  'delivery.throttlesMax': numberRow({
    summary: 'Given up after so many throttles',
    ...{ unit: 'count', default: LIMITS.throttlesMax, floor: 1, ceiling: 1_000 },
    by: ['channel', 'tenant'],
  }),
  'delivery.breaker.windowMs': breaker.windowMs,
  'delivery.breaker.failureShare': breaker.failureShare,
  'delivery.breaker.samplesMin': breaker.samplesMin,
  'delivery.breaker.openMs': breaker.openMs,
  'delivery.breaker.openMsMax': breaker.openMsMax,
  'delivery.breaker.probeMs': breaker.probeMs,
  'delivery.breaker.recheckMs': breaker.recheckMs,
  'webhook.rotationMs': numberRow({
    summary: 'The old secret of an endpoint signs as well for so long after a rotation',
    ...{ unit: 'ms', default: LIMITS.webhookRotationMs, floor: MINUTE, ceiling: 30 * 24 * HOUR },
    ...{ by: ['tenant'], tenantMay: true },
  }),
} as const;
