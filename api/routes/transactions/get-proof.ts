import { z } from 'zod';
import { AppError } from '../../../core/kernel/errors.ts';
import { proofSchema } from '../../contract/ledger.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { foundOr404, idParams, noQuery } from '../../http/list.ts';
import { proofsOf } from '../ledger/proofs-of.ts';

/** An entry is sealed by then, unless the sealer is behind. */
const RETRY_SECONDS = 10;

export const getProof = defineEndpoint({
  method: 'GET',
  path: '/v1/transactions/:id/proof',
  scope: 'ledger:read',
  summary:
    "Shows that an entry stands in the tenant's log: its leaf, its place, the path to the root of a " +
    'signed checkpoint',
  input: { params: idParams, query: z.strictObject(noQuery.shape), body: noBody },
  output: { 200: proofSchema },
  errors: ['proof_not_ready', 'not_found'],
  handle: async ({ params }, { services, tenant }) => {
    const proofs = await proofsOf(services, tenant);
    const proof = await proofs.ofEntry(params.id);
    if (proof === 'unsealed') {
      const detail = `Entry ${params.id} is not sealed yet`;
      throw new AppError('proof_not_ready', detail, { retryAfterSeconds: RETRY_SECONDS });
    }
    const known = foundOr404(proof === 'unknown' ? undefined : proof, 'entry');
    return found({ id: params.id, ...known, publicKey: proofs.publicKey });
  },
});
