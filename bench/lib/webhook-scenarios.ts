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

export const WEBHOOK_TARGETS: readonly Target[] = [
  {
    figure: 'webhooks',
    what: 'webhooks to one receiver against one job each',
    of: WEBHOOKS,
    against: BASELINE,
    atLeast: 6,
  },
  {
    figure: 'webhooks',
    what: 'webhooks beside a third of endpoints that refuse, against alone',
    of: REFUSING,
    against: TWO,
    atLeast: 0.95,
  },
  {
    figure: 'webhooks',
    what: 'webhooks beside a third of endpoints that never answer, against alone',
    of: BLACK_HOLED,
    against: TWO,
    atLeast: 0.95,
  },
  {
    figure: 'webhooks',
    what: 'one webhook to each of many receivers against as many to one',
    of: MANY,
    against: WEBHOOKS,
    atLeast: 0.6,
  },
  {
    figure: 'webhooks',
    what: 'ten receivers that take 200 ms against what their windows allow',
    of: SLOW,
    against: WEBHOOKS,
    measure: 'window',
    atLeast: 0.9,
  },
];
