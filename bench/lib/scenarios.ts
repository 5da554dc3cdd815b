import { assertNever } from '../../core/kernel/assert.ts';
import { type DeliveryScenario, runDeliveries } from './delivery-run.ts';
import { type EndToEndScenario, runEndToEnd } from './e2e-run.ts';
import { type IngestScenario, runIngest } from './ingest-run.ts';
import type { RunDeps, Sample } from './measure.ts';
import type { Figure, Size } from './options.ts';
import { type LatencyScenario, runLatency } from './latency-run.ts';
import { PATH_TARGETS, pathScenarios } from './path-scenarios.ts';
import { type PathScenario, runPath } from './path-run.ts';
import { PAYMENT_TARGETS, paymentScenarios } from './payment-scenarios.ts';
import { type PaymentScenario, runPayments } from './payment-run.ts';
import { type RealtimeScenario, runRealtime } from './realtime-run.ts';
import { type RecoveryScenario, runRecovery } from './recovery-run.ts';
import { READ_TARGETS, readScenarios } from './read-scenarios.ts';
import { type ReadScenario, runReads } from './read-run.ts';
import { SAGA_TARGETS, sagaScenarios } from './saga-scenarios.ts';
import { type SagaScenario, runSagas } from './saga-run.ts';
import { type SettleScenario, runSettlement } from './settle-run.ts';
import { type ShapeScenario, runShape } from './shape-run.ts';
import { SHAPE_TARGETS, shapeScenarios } from './shapes.ts';
import type { Target } from './targets.ts';
import { WEBHOOK_TARGETS, webhookScenarios } from './webhook-scenarios.ts';
import { type WebhookScenario, runWebhooks } from './webhook-run.ts';

interface Named {
  readonly name: string;
  readonly figures: readonly Figure[];
}

export type NamedScenario =
  | (Named & { readonly kind: 'settlement' } & SettleScenario)
  | (Named & { readonly kind: 'ingest' } & IngestScenario)
  | (Named & { readonly kind: 'e2e' } & EndToEndScenario)
  | (Named & { readonly kind: 'realtime' } & RealtimeScenario)
  | (Named & { readonly kind: 'payments' } & PaymentScenario)
  | (Named & { readonly kind: 'sagas' } & SagaScenario)
  | (Named & { readonly kind: 'webhooks' } & WebhookScenario)
  | (Named & { readonly kind: 'path' } & PathScenario)
  | (Named & { readonly kind: 'latency' } & LatencyScenario)
  | (Named & { readonly kind: 'deliveries' } & DeliveryScenario)
  | (Named & { readonly kind: 'shape' } & ShapeScenario)
  | (Named & { readonly kind: 'reads' } & ReadScenario)
  | (Named & { readonly kind: 'recovery' } & RecoveryScenario);

const WALLETS = 10_000;

/** What is measured in every round, in this order, so that the sides alternate. */
export function scenariosOf(size: Size): readonly NamedScenario[] {
  const half = (count: number): number => (size === 'full' ? count : count / 2);
  return [
    ...settleScenarios(half),
    ...ingestScenarios(half),
    ...endToEndScenarios(half),
    ...realtimeScenarios(half),
    ...paymentScenarios(size),
    ...sagaScenarios(size),
    ...webhookScenarios(size),
    ...pathScenarios(size),
    ...deliveryScenarios(half),
    ...shapeScenarios(size),
    ...readScenarios(size),
  ];
}

export async function runScenario(
  deps: RunDeps,
  scenario: NamedScenario,
  seed: number,
): Promise<Sample> {
  switch (scenario.kind) {
    case 'settlement': {
      const { perSecond, operations, cpu } = await runSettlement(deps, scenario, seed);
      return { perSecond, operations, cpu };
    }
    case 'ingest':
      return runIngest(deps, scenario, seed);
    case 'e2e':
      return runEndToEnd(deps, scenario, seed);
    case 'realtime':
      return runRealtime(deps, scenario);
    case 'payments':
      return runPayments(deps, scenario);
    case 'webhooks':
      return runWebhooks(deps, scenario);
    case 'sagas':
      return runSagas(deps, scenario);
    case 'path':
      return runPath(deps, scenario, seed);
    case 'latency':
      return runLatency(deps, scenario);
    case 'deliveries':
      return runDeliveries(deps, scenario);
    case 'shape':
      return runShape(deps, scenario, seed);
    case 'reads':
      return runReads(deps, scenario, seed);
    case 'recovery':
      return runRecovery(deps, scenario, seed);
    default:
      return assertNever(scenario);
  }
}

type Half = (count: number) => number;

function settleScenarios(half: Half): readonly NamedScenario[] {
  const ours = { side: 'ours', transfers: half(16_000), warmUp: 2_000 } as const;
  const baseline = { side: 'baseline', transfers: half(1_600), warmUp: 300 } as const;
  const usual = { kind: 'settlement', wallets: WALLETS } as const;
  const alike = { ...usual, processes: 1, shape: 'uniform' } as const;
  return [
    { ...alike, ...baseline, name: 'baseline', figures: ['settlement', 'hot'] },
    { ...alike, ...ours, name: 'ours', figures: ['settlement', 'hot', 'scale'] },
    { ...alike, ...ours, name: 'ours, hot wallet', shape: 'hot', figures: ['hot'] },
    {
      ...{ ...alike, ...baseline, name: 'baseline, hot wallet', shape: 'hot', figures: ['hot'] },
      transfers: half(300),
      warmUp: 50,
    },
    { ...alike, ...ours, name: 'ours, 2 processes', processes: 2, figures: ['scale'] },
    { ...alike, ...ours, name: 'ours, 3 processes', processes: 3, figures: ['scale'] },
  ];
}

function ingestScenarios(half: Half): readonly NamedScenario[] {
  const ours = { side: 'ours', requests: half(20_000), warmUp: 4_000 } as const;
  const baseline = { side: 'baseline', requests: half(6_000), warmUp: 2_000 } as const;
  const alike = { kind: 'ingest', wallets: WALLETS, figures: ['ingest'] } as const;
  return [64, 256].flatMap((connections) => [
    { ...alike, ...baseline, connections, name: `baseline, ingest, ${connections} connections` },
    { ...alike, ...ours, connections, name: `ours, ingest, ${connections} connections` },
  ]);
}

function endToEndScenarios(half: Half): readonly NamedScenario[] {
  const ours = { side: 'ours', requests: half(16_000), warmUp: 3_000 } as const;
  const baseline = { side: 'baseline', requests: half(1_600), warmUp: 300 } as const;
  const alike = { kind: 'e2e', wallets: WALLETS, connections: 256, figures: ['e2e'] } as const;
  return [
    { ...alike, ...baseline, name: 'baseline, end to end' },
    { ...alike, ...ours, name: 'ours, end to end' },
  ];
}

function realtimeScenarios(half: Half): readonly NamedScenario[] {
  const alike = { kind: 'realtime', figures: ['realtime'], broadcasts: half(20) } as const;
  return [
    { ...alike, streams: 1_000, sockets: 0, name: REALTIME.streams },
    { ...alike, streams: 0, sockets: 1_000, name: REALTIME.sockets },
    { ...alike, streams: 1_000, sockets: 1_000, name: REALTIME.both },
  ];
}

const REALTIME = {
  streams: 'one event to 1,000 streams',
  sockets: 'one event to 1,000 sockets',
  both: 'one event to 1,000 streams and 1,000 sockets',
} as const;

/** A time that no more than one in a hundred may exceed. */
export interface LatencyTarget {
  readonly of: string;
  readonly p99MsMax: number;
}

export const LATENCY_TARGETS: readonly LatencyTarget[] = [{ of: REALTIME.both, p99MsMax: 1_000 }];

function deliveryScenarios(half: Half): readonly NamedScenario[] {
  const alike = { kind: 'deliveries', figures: ['deliveries'], warmUp: 100 } as const;
  return [
    // These are held to a rate of our own (core/notifications/policies.ts).
    { ...alike, name: 'mails', channel: 'email', deliveries: half(1_000) },
    { ...alike, name: 'text messages', channel: 'sms', deliveries: half(200) },
    { ...alike, name: 'pushes', channel: 'push', deliveries: half(2_000) },
  ];
}

export const TARGETS: readonly Target[] = [
  {
    figure: 'settlement',
    what: 'settlement against one transaction per job',
    of: 'ours',
    against: 'baseline',
    atLeast: 12,
  },
  {
    figure: 'hot',
    what: 'one hot wallet against uniform',
    of: 'ours, hot wallet',
    against: 'ours',
    atLeast: 0.8,
  },
  {
    figure: 'hot',
    what: 'the same for the baseline',
    of: 'baseline, hot wallet',
    against: 'baseline',
    atLeast: undefined,
  },
  {
    figure: 'scale',
    what: 'two processes against one',
    of: 'ours, 2 processes',
    against: 'ours',
    atLeast: 0.9,
  },
  {
    figure: 'scale',
    what: 'three processes against one',
    of: 'ours, 3 processes',
    against: 'ours',
    atLeast: 0.9,
  },
  {
    figure: 'ingest',
    what: 'ingest against one insert and one add per request, 64 connections',
    of: 'ours, ingest, 64 connections',
    against: 'baseline, ingest, 64 connections',
    atLeast: 4,
  },
  {
    figure: 'ingest',
    what: 'the same, 256 connections',
    of: 'ours, ingest, 256 connections',
    against: 'baseline, ingest, 256 connections',
    atLeast: 4,
  },
  {
    figure: 'e2e',
    what: 'HTTP to settled against that API and one transaction per job',
    of: 'ours, end to end',
    against: 'baseline, end to end',
    atLeast: 10,
  },
  ...PAYMENT_TARGETS,
  ...SAGA_TARGETS,
  ...WEBHOOK_TARGETS,
  ...PATH_TARGETS,
  ...SHAPE_TARGETS,
  ...READ_TARGETS,
];
