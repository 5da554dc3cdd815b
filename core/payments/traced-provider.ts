import type { PaymentProvider } from '../operations/services.ts';
import { currentContext } from '../telemetry/context.ts';
import { type Tracer, traced } from '../telemetry/tracer.ts';

/** A provider whose calls are spans of the step that makes them, where that is recorded. */
export function tracedProvider(
  provider: PaymentProvider,
  name: string,
  tracer: Tracer,
): PaymentProvider {
  if (!tracer.isOn) return provider;
  const call = <T>(method: keyof PaymentProvider, work: () => Promise<T>): Promise<T> =>
    traced(
      tracer,
      {
        name: `payment ${name}.${method}`,
        kind: 'client',
        parent: currentContext().traceparent,
        attributes: { 'sluice.provider': name, 'sluice.call': method },
      },
      work,
    );
  return Object.freeze({
    authorise: (request, signal) => call('authorise', () => provider.authorise(request, signal)),
    capture: (request, signal) => call('capture', () => provider.capture(request, signal)),
    payout: (request, signal) => call('payout', () => provider.payout(request, signal)),
    void: (key, signal) => call('void', () => provider.void(key, signal)),
    find: (key, signal) => call('find', () => provider.find(key, signal)),
  } satisfies PaymentProvider);
}
