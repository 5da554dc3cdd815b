import { AppError } from '../../kernel/errors.ts';
import type { PaymentProvider, PaymentProviders } from '../../saga/services.ts';
import { type HttpProviderOptions, createHttpProvider } from './http.ts';

export interface ProviderAddresses {
  /** The sandbox of this repository: the HTTP form, with faults on request. */
  readonly sandbox?: HttpProviderOptions;
  readonly http?: HttpProviderOptions;
}

/** The payment providers that the environment names. */
export function createProviders(addresses: ProviderAddresses): PaymentProviders {
  const byName = new Map<string, PaymentProvider>(
    Object.entries(addresses).map(([name, options]: [string, HttpProviderOptions]) => [
      name,
      createHttpProvider(options),
    ]),
  );
  return Object.freeze({
    named: (name: string) => {
      const found = byName.get(name);
      if (found !== undefined) return found;
      throw new AppError('provider_unknown', `No payment provider "${name}" is configured`);
    },
  });
}
