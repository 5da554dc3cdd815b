import { DELIVERY_SETTINGS } from './delivery-settings.ts';
import { LIMITS } from './limits.ts';
import { PAYMENT_SETTINGS } from './payment-settings.ts';
import { type SettingRow, numberRow } from './setting-row.ts';

const SECOND = 1_000;

/**
 * Every tunable, by name: what may be changed while the platform runs, within a floor and a ceiling.
 * What must not be exceeded whatever anybody says stands in `limits.ts`, what a deployment has to say
 * in `env.ts`. `docs/settings.md` is made of this table.
 */
export const SETTINGS = {
  'ingest.backlogMax': numberRow({
    summary: 'Accepted and not begun with; beyond it nothing more is taken in',
    ...{ unit: 'count', default: LIMITS.acceptedBacklogMax, floor: 1, ceiling: 10_000_000 },
  }),
  'ingest.tenantBacklogMax': numberRow({
    summary: 'The same of one tenant; 0: as many as it leaves free',
    ...{ unit: 'count', default: 0, floor: 0, ceiling: 10_000_000 },
    by: ['tenant'],
  }),
  'ingest.backlogSampleMs': numberRow({
    summary: 'How often the backlog is counted',
    ...{ unit: 'ms', default: LIMITS.backlogSampleMs, floor: 100, ceiling: 10 * SECOND },
  }),
  'api.waitSecondsMax': numberRow({
    summary: 'Longest wait for an outcome that `Prefer: wait` gets',
    ...{ unit: 's', default: LIMITS.preferWaitSecondsMax, floor: 0 },
    ceiling: LIMITS.preferWaitSecondsMax,
    ...{ by: ['tenant'], tenantMay: true },
  }),
  'settlement.batchMax': numberRow({
    summary: 'Operations that one transaction settles, by weight',
    ...{ unit: 'count', default: LIMITS.settlementBatchMax, floor: 1 },
    ceiling: LIMITS.settlementBatchMax,
  }),
  'saga.concurrency': numberRow({
    summary: 'Stepwise operations under way in one process',
    ...{ unit: 'count', default: LIMITS.sagaConcurrency },
    ...{ floor: LIMITS.sagaConcurrencyMin, ceiling: LIMITS.sagaConcurrencyMax },
  }),
  'recovery.sweepMs': numberRow({
    summary: 'How often is looked for what should have moved',
    ...{ unit: 'ms', default: LIMITS.sweepIntervalMs, floor: SECOND, ceiling: 20 * SECOND },
  }),
  'recovery.deliverySweepMs': numberRow({
    summary: 'The same of deliveries',
    ...{ unit: 'ms', default: LIMITS.deliverySweepMs, floor: SECOND, ceiling: 20 * SECOND },
  }),
  ...PAYMENT_SETTINGS,
  ...DELIVERY_SETTINGS,
} as const;

export type SettingName = keyof typeof SETTINGS;

type ValueIn<R> = R extends SettingRow<infer T> ? T : never;
export type SettingOf<N extends SettingName> = ValueIn<(typeof SETTINGS)[N]>;

export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];

export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name);
}

export function rowOf(name: SettingName): SettingRow {
  return SETTINGS[name];
}

/** The providers that there is code for, by what a setting is about. A test holds them against it. */
const PAYMENT_PROVIDERS = ['sandbox', 'http'] as const;
const DELIVERY_PROVIDERS = [
  ...['smtp', 'email-http', 'twilio', 'fcm', 'webpush', 'webhook', 'stream'],
] as const;

export function providersOf(name: SettingName): readonly string[] {
  return name.startsWith('payment.') ? PAYMENT_PROVIDERS : DELIVERY_PROVIDERS;
}
