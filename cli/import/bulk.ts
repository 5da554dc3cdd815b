import { z } from 'zod';
import { type ApiClient, type Reply, describeProblem, problemSchema } from '../api-client.ts';
import { CliError, EXIT } from '../exit.ts';
import type { Problem } from './record.ts';
import type { Settled } from './window.ts';

/** What the API made of one item. */
export type BulkOutcome =
  | { readonly kind: 'accepted'; readonly isKnown: boolean; readonly operation: Settled }
  | { readonly kind: 'refused'; readonly problem: Problem }
  /** Not its fault: the same item may be accepted in a moment. */
  | { readonly kind: 'again'; readonly reason: string };

export type BulkReply =
  | {
      readonly kind: 'items';
      readonly outcomes: readonly BulkOutcome[];
      /** What is known may be known since an earlier try of this very request. */
      readonly isRepeated: boolean;
    }
  /** The request as a whole was refused: one of its items spoils it. */
  | { readonly kind: 'refused'; readonly problem: Problem };

const NDJSON = 'application/x-ndjson';

const operationSchema = z.looseObject({
  id: z.string(),
  status: z.string(),
  error: z.looseObject({ code: z.string(), detail: z.string().optional() }).optional(),
});

const bulkSchema = z.looseObject({
  results: z.array(
    z.looseObject({
      index: z.int().min(0),
      status: z.int(),
      replayed: z.boolean().optional(),
      operation: operationSchema.optional(),
      problem: problemSchema.optional(),
    }),
  ),
});
type BulkResult = z.infer<typeof bulkSchema>['results'][number];

const listSchema = z.looseObject({ items: z.array(operationSchema) });

/** Sends items, each one line of JSON, in order. Safe to repeat: every item has its own key. */
export async function postItems(client: ApiClient, bodies: readonly string[]): Promise<BulkReply> {
  const reply = await client.send({
    method: 'POST',
    path: '/v1/operations/bulk',
    body: `${bodies.join('\n')}\n`,
    headers: { 'content-type': NDJSON, prefer: 'return=minimal' },
  });
  if (reply.status >= 400 && reply.status < 500) return refusedReply(reply);
  const parsed = bulkSchema.safeParse(reply.body).data;
  const results = new Map((parsed?.results ?? []).map((result) => [result.index, result]));
  if (reply.status >= 300 || results.size !== bodies.length) throw notOurs(reply);
  return {
    kind: 'items',
    isRepeated: reply.isRepeated,
    outcomes: bodies.map((_, index) => outcomeOf(results.get(index), reply)),
  };
}

function refusedReply(reply: Reply): BulkReply {
  if (reply.status === 404 || reply.status === 405) throw notOurs(reply);
  const problem = problemSchema.safeParse(reply.body).data;
  if (problem === undefined) throw notOurs(reply);
  return { kind: 'refused', problem: { code: problem.code, detail: problem.detail ?? '' } };
}

function notOurs({ status, body }: Reply): CliError {
  const said = describeProblem(body);
  const text = said === '' ? 'nothing that a Sluice API would' : said;
  return new CliError(`POST /v1/operations/bulk answers ${String(status)}: ${text}`, EXIT.usage);
}

function outcomeOf(result: BulkResult | undefined, reply: Reply): BulkOutcome {
  if (result === undefined) throw notOurs(reply);
  const { status, operation, replayed = false, problem } = result;
  if (status < 300 && operation !== undefined) {
    return { kind: 'accepted', isKnown: replayed, operation };
  }
  const code = problem?.code ?? `http_${String(status)}`;
  const [first] = problem?.errors ?? [];
  if (status === 429 || status >= 500) return { kind: 'again', reason: code };
  return {
    kind: 'refused',
    problem: {
      code,
      detail: problem?.detail ?? '',
      ...(first !== undefined && { pointer: first.pointer }),
    },
  };
}

/** The state of operations, as far as the server knows them. */
export async function getOperations(
  client: ApiClient,
  ids: readonly string[],
): Promise<readonly Settled[]> {
  const query = new URLSearchParams({ ids: ids.join(','), limit: String(ids.length) });
  const reply = await client.send({ method: 'GET', path: `/v1/operations?${query.toString()}` });
  const parsed = listSchema.safeParse(reply.body).data;
  if (reply.status !== 200 || parsed === undefined) {
    const said = describeProblem(reply.body);
    throw new CliError(`GET /v1/operations answers ${String(reply.status)} ${said}`, EXIT.usage);
  }
  return parsed.items;
}
