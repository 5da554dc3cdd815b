import { z } from 'zod';
import { AppError } from '../../../core/kernel/errors.ts';
import { checkpointSchema, consistencySchema } from '../../contract/ledger.ts';
import { noBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { foundOr404, noParams } from '../../http/list.ts';
import { proofsOf } from './proofs-of.ts';

const size = z
  .string()
  .regex(/^[1-9]\d{0,9}$/, 'must be a number of entries')
  .transform(Number);

export const getCheckpoint = defineEndpoint({
  method: 'GET',
  path: '/v1/ledger/checkpoint',
  scope: 'ledger:read',
  summary: "The latest signed checkpoint of the tenant's log, or that of a size",
  input: { params: noParams, query: z.strictObject({ size: size.exactOptional() }), body: noBody },
  output: { 200: checkpointSchema },
  errors: ['proof_not_ready', 'not_found'],
  handle: async ({ query }, { services, tenant }) => {
    const proofs = await proofsOf(services, tenant);
    const latest = await proofs.checkpoint(query.size);
    if (latest === undefined && query.size === undefined) {
      const detail = 'Nothing of this log is sealed yet';
      throw new AppError('proof_not_ready', detail, { retryAfterSeconds: 10 });
    }
    const { size: entries, note, createdAt } = foundOr404(latest, 'checkpoint');
    const { publicKey } = proofs;
    return found({
      ...{ size: entries, checkpoint: note, publicKey },
      createdAt: createdAt.toISOString(),
    });
  },
});

export const getConsistency = defineEndpoint({
  method: 'GET',
  path: '/v1/ledger/consistency',
  scope: 'ledger:read',
  summary: 'Shows that the log of one checkpoint begins with that of an earlier one',
  input: { params: noParams, query: z.strictObject({ first: size, second: size }), body: noBody },
  output: { 200: consistencySchema },
  errors: ['not_found'],
  handle: async ({ query: { first, second } }, { services, tenant }) => {
    const errors = [
      { pointer: '/first', in: 'query' as const, detail: 'must not be the later one' },
    ];
    if (first > second) throw new AppError('invalid_request', 'first is behind second', { errors });
    const proofs = await proofsOf(services, tenant);
    const path = foundOr404(await proofs.consistency(first, second), 'checkpoint');
    return found({ first, second, path, publicKey: proofs.publicKey });
  },
});
