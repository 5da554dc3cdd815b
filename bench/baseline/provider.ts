import { z } from 'zod';

export interface ProviderCall {
  readonly path: 'authorisations' | 'captures' | 'payouts';
  readonly key: string;
  readonly body: {
    readonly amount: string;
    readonly currency: string;
    readonly instrument: string;
    readonly of?: string;
  };
}

/** Gives the provider's reference. @throws for anything but a success: the job comes again. */
export type CallProvider = (call: ProviderCall) => Promise<string>;

const answerSchema = z.object({ status: z.literal('succeeded'), reference: z.string() });
const TIMEOUT_MS = 15_000;

/** The payment provider by `fetch`, which keeps its connections. */
export function createProviderClient(url: string): CallProvider {
  return async ({ path, key, body }) => {
    const answer = await fetch(`${url}/v1/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const said = answerSchema.safeParse(await answer.json());
    if (answer.ok && said.success) return said.data.reference;
    throw new Error(`The provider answered ${String(answer.status)}`);
  };
}
