import { LIMITS } from '../../../config/limits.ts';
import { AppError } from '../../kernel/errors.ts';
import type {
  PaymentProvider,
  PaymentProviders,
  PaymentAdmission,
  PaymentPermit,
} from '../../operations/services.ts';
import { type Tracer, noTracer } from '../../telemetry/tracer.ts';
import { tracedProvider } from '../traced-provider.ts';
import { type HttpProviderDeps, type HttpProviderOptions, createHttpProvider } from './http.ts';

/** Every payment provider that there is code for: what a request may name, and metrics show. */
type ProviderName = 'sandbox' | 'http';

/**
 * `sandbox`: the one of this repository, the HTTP form with faults on request. `http`: the configured
 * one.
 */
export type ProviderAddresses = { readonly [N in ProviderName]?: HttpProviderOptions };

export interface ProviderDeps extends HttpProviderDeps {
  /** By default every call is let through. */
  readonly admission?: PaymentAdmission;
  readonly terms?: PaymentProviders['terms'];
  readonly tracer?: Tracer;
}

/** The payment providers that the environment names. */
export function createProviders(
  addresses: ProviderAddresses,
  { admission = OPEN_ADMISSION, tracer = noTracer, terms, ...deps }: ProviderDeps = {},
): PaymentProviders {
  const byName = new Map<string, PaymentProvider>(
    Object.entries(addresses).map(([name, options]: [string, HttpProviderOptions]) => [
      name,
      tracedProvider(createHttpProvider(options, deps), name, tracer),
    ]),
  );
  return Object.freeze({
    named: (name: string) => {
      const found = byName.get(name);
      if (found !== undefined) return found;
      throw new AppError('worker_unfit', `This process has no payment provider "${name}"`, {
        retryAfterSeconds: LIMITS.workerUnfitMs / 1_000,
      });
    },
    ...(terms !== undefined && { terms }),
    request: async (name: string, tenantId?: string): Promise<PaymentPermit> =>
      byName.has(name) ? admission.request(name, tenantId) : { kind: 'elsewhere' },
  });
}

const OPEN_ADMISSION: PaymentAdmission = {
  request: async () => ({
    kind: 'go',
    report: async () => undefined,
    cancel: () => undefined,
  }),
};
