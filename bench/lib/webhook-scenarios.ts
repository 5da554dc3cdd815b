import { FLOORS } from './floors.ts';
import type { Size } from './options.ts';
import type { Target } from './targets.ts';
import type { WebhookScenario } from './webhook-run.ts';

type Named = { readonly name: string; readonly figures: readonly ['webhooks'] } & {
  readonly kind: 'webhooks';
} & WebhookScenario;

const BASELINE = 'baseline, webhooks to one receiver';
export const WEBHOOKS = 'ours, webhooks to one receiver';
const TWO = 'ours, webhooks to two receivers';
const REFUSING = 'the same, beside a third that refuses';
const BLACK_HOLED = 'the same, beside a third that never answers';
const MANY = 'ours, one webhook to each of many receivers';
const SLOW = 'ours, webhooks to ten receivers that take 200 ms';

interface Sizes {
  readonly ours: number;
  readonly baseline: number;
  /** With 50 endpoints each, as many as one may have. */
  readonly tenants: number;
  readonly warmUp: number;
}

const SIZES: Readonly<Record<Size, Sizes>> = {
  full: { ours: 10_000, baseline: 2_000, tenants: 200, warmUp: 300 },
  half: { ours: 4_000, baseline: 1_000, tenants: 80, warmUp: 200 },
  small: { ours: 1_000, baseline: 500, tenants: 10, warmUp: 100 },
};

/** Being told. */
export function webhookScenarios(size: Size): readonly Named[] {
  const { ours, baseline, tenants, warmUp } = SIZES[size];
  const alike = { kind: 'webhooks', figures: ['webhooks'], side: 'ours', warmUp } as const;
  const two = { ...alike, events: ours / 2, endpoints: 2 };
  return [
    { ...alike, name: BASELINE, side: 'baseline', events: baseline },
    { ...alike, name: WEBHOOKS, events: ours },
    { ...two, name: TWO },
    { ...two, name: REFUSING, down: 'refusing' },
    { ...two, name: BLACK_HOLED, down: 'black-holed' },
    { ...alike, name: MANY, events: 1, tenants, endpoints: 50 },
    { ...alike, name: SLOW, events: ours / 10, endpoints: 10, delayMs: 200 },
  ];
}

const alike = { figure: 'webhooks' } as const;
const usual = { ...alike, of: WEBHOOKS, against: BASELINE } as const;
const refusing = { ...alike, of: REFUSING, against: TWO } as const;

export const WEBHOOK_TARGETS: readonly Target[] = [
  {
    ...{ ...usual, what: 'webhooks to one receiver against one job each' },
    ...{ atLeast: 6, floor: FLOORS.webhooks },
  },
  {
    ...{ ...usual, what: 'webhooks to one receiver against one job each, by CPU', measure: 'cpu' },
    ...{ atLeast: undefined, floor: FLOORS['webhooks, by CPU'] },
  },
  {
    ...{ ...refusing, what: 'webhooks beside a third of endpoints that refuse, against alone' },
    ...{ atLeast: 0.95, floor: FLOORS['webhooks beside a third that refuses'] },
  },
  {
    ...{ ...refusing, what: 'webhooks beside a third of endpoints that refuse, by CPU' },
    ...{ measure: 'cpu', atLeast: undefined },
    floor: FLOORS['webhooks beside a third that refuses, by CPU'],
  },
  {
    ...{ ...alike, of: BLACK_HOLED, against: TWO, atLeast: 0.95 },
    what: 'webhooks beside a third of endpoints that never answer, against alone',
  },
  {
    ...{ ...alike, of: MANY, against: WEBHOOKS, atLeast: 0.6 },
    what: 'one webhook to each of many receivers against as many to one',
  },
  {
    ...{ ...alike, of: SLOW, against: WEBHOOKS, atLeast: 0.9, measure: 'window' },
    what: 'ten receivers that take 200 ms against what their windows allow',
  },
];
