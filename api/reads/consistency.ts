import { z } from 'zod';
import type { WalletDoc } from '../../core/ledger/documents.ts';
import type { CacheTier } from '../../core/ledger/wallet-cache.ts';
import type { RequestContext } from '../http/request-context.ts';
import { foundOr404 } from '../http/list.ts';
import { present } from '../../core/kernel/assert.ts';
import { withQueued } from './queued.ts';
import { waitUntilIn } from './after.ts';

/** Query parameter of what may come from a cache. */
export const consistencyQuery = {
  consistency: z.enum(['strong', 'cached']).exactOptional().meta({
    description: '`strong`: the present state; `cached`: one of at most 10 s ago, at less cost',
  }),
};

interface WalletRead {
  readonly id: string;
  readonly consistency?: 'strong' | 'cached';
  readonly after?: string;
}

export interface WalletFound {
  readonly wallet: WalletDoc;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * A wallet as consistent as it is asked for. What has to hold an operation comes from the primary, and so
 * does everything that does not say otherwise.
 */
export async function readWallet(
  request: RequestContext,
  { id, consistency, after }: WalletRead,
): Promise<WalletFound> {
  const { services, tenant } = request;
  const wanted = consistency ?? (after === undefined ? services.readConsistency : 'strong');
  if (wanted === 'cached') {
    const key = { tenantId: tenant.tenantId, id };
    const { wallet, from } = foundOr404(await services.walletCache.read(key), 'wallet');
    return { wallet, headers: headersOf(from) };
  }
  await waitUntilIn(request, after);
  const wallet = foundOr404(await services.ledger(tenant).wallet(id), 'wallet');
  return { wallet, headers: {} };
}

/** The same with what waits to be settled for it; from the primary. */
export async function readWalletQueued(
  request: RequestContext,
  { id, after }: WalletRead,
): Promise<{ readonly wallet: WalletDoc; readonly queued: object }> {
  await waitUntilIn(request, after);
  const ledger = request.services.ledger(request.tenant);
  const read = async (): Promise<WalletDoc> => foundOr404(await ledger.wallet(id), 'wallet');
  const { userId } = await read();
  const { wallets, viewOf } = await withQueued(request, userId, async () => [await read()]);
  const wallet = present(wallets[0], 'the wallet that was read');
  return { wallet, queued: viewOf(wallet) };
}

function headersOf(from: CacheTier): Readonly<Record<string, string>> {
  return { 'X-Read-From': from };
}

/** What is to hold an operation cannot come from a cache. */
export function isTooOld(query: {
  readonly after?: string;
  readonly consistency?: string;
}): boolean {
  return query.after !== undefined && query.consistency === 'cached';
}

export const TOO_OLD = { path: ['after'], message: 'does not go with consistency=cached' };
