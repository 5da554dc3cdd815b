import type { Clock } from '../kernel/clock.ts';
import type { Failpoint } from '../kernel/failpoint.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Tracer } from '../telemetry/tracer.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { SagaServices } from '../operations/services.ts';
import type { CallStep } from '../operations/step.ts';

/** What a step is taken with. */
export interface TurnDeps {
  readonly services: SagaServices;
  readonly clock: Clock;
  readonly random: () => number;
  readonly failpoint: Failpoint;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly tracer?: Tracer;
}

export interface Turn {
  readonly step: number;
  readonly attempt: number;
}

export type CallTurn = Turn & { readonly definition: CallStep<unknown> };
