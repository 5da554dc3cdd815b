import type { View } from '../../service-config/live-settings.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Failpoint } from '../../kernel/failpoint.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Tracer } from '../../telemetry/tracer.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { DeliveryStore } from './delivery-store.ts';
import type { FactsStore } from '../routing/facts-store.ts';
import type { Admission } from '../admission/admission.ts';
import type { Pauses } from '../../service-config/pause.ts';
import type { Policies } from '../policies.ts';
import type { Channel, Provider } from '../ports.ts';
import type { DeliveryPublisher } from './publisher.ts';
import type { SuppressionStore } from '../suppressions/suppression-store.ts';
import type { Templates } from '../templates/template-cache.ts';
import type { EndpointHealthStore } from '../webhooks/webhook-endpoint-store.ts';

/** The providers of each channel, in the order of preference. */
export type AnyProviders = { readonly [C in Channel]: readonly Provider<C>[] };

export interface EngineDeps {
  readonly deliveries: DeliveryStore;
  readonly publisher: Pick<DeliveryPublisher, 'publishDeliveries'>;
  readonly facts: FactsStore;
  readonly endpoints: EndpointHealthStore;
  readonly suppressions: SuppressionStore;
  readonly templates: Templates;
  readonly providers: AnyProviders;
  /** This process has no provider of the channel, and another one has. */
  readonly isElsewhere: (channel: Channel) => boolean;
  readonly admission: Admission;
  readonly policies: View<Policies>;
  /** By default there are none. */
  readonly pauses?: Pauses;
  readonly leaseMs: number;
  readonly workerId: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly failpoint: Failpoint;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly tracer?: Tracer;
}
