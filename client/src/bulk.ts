import { throwIfAborted } from './clock.ts';
import { SluiceError, errorOf, invalidArgument, problemIn, underKey } from './errors.ts';
import type { OperationInputs } from './generated/operations.ts';
import type { Envelope } from './inputs.ts';
import { canonicalText, jsonText } from './json.ts';
import { type KeyLease, createKeys } from './key-store.ts';
import type { Operation, OperationType } from './operation.ts';
import { waitMsOf } from './retry.ts';
import type { CallOptions, Transport } from './transport.ts';

/** One operation of a bulk request; without a key of its own it gets one. */
export type BulkItem = {
  readonly [T in OperationType]: Envelope & {
    readonly type: T;
    readonly input: OperationInputs[T];
    readonly idempotencyKey?: string | undefined;
  };
}[OperationType];

export interface BulkOptions extends CallOptions {
  /** Seconds, 0 to 30, that each request waits for the outcomes of its items. */
  readonly wait?: number | undefined;
  /** Items a request; 1,000. */
  readonly chunkSize?: number | undefined;
  /** Ids and statuses only: less to read. */
  readonly minimal?: boolean | undefined;
}

/** What became of an item, at the same index. */
export type BulkResult =
  | {
      readonly ok: true;
      readonly idempotencyKey: string;
      readonly replayed: boolean;
      /** With `minimal`, its id, status and error only. */
      readonly operation: Pick<Operation, 'id' | 'status'> & Partial<Operation>;
    }
  | { readonly ok: false; readonly idempotencyKey: string; readonly error: SluiceError };

const CHUNK_MAX = 1_000;
/** The API takes 1 MiB a request. */
const CHUNK_BYTES_MAX = 1_000_000;
const REQUEST = { method: 'POST', path: '/v1/operations/bulk' } as const;

interface Line {
  readonly index: number;
  readonly text: string;
  readonly lease: KeyLease;
}

type Items = Iterable<BulkItem> | AsyncIterable<BulkItem>;
type Bulk = (items: Items, options?: BulkOptions) => Promise<readonly BulkResult[]>;

export function createBulk(transport: Transport): Bulk {
  const { keyStore: store, clock, onKeyStoreError: onError } = transport.settings;
  const keys = createKeys({ store, clock, onError });

  const lineOf = async (item: BulkItem, index: number): Promise<Line> => {
    const { idempotencyKey: own, ...rest } = item;
    const lease = await keys.lease(canonicalText([REQUEST.path, rest]), own);
    return { index, lease, text: jsonText({ ...rest, idempotencyKey: lease.key }) };
  };

  return async (items, options = {}) => {
    const { chunkSize = CHUNK_MAX } = options;
    if (!(Number.isInteger(chunkSize) && chunkSize >= 1 && chunkSize <= CHUNK_MAX)) {
      throw invalidArgument(`chunkSize must be 1 to ${CHUNK_MAX}`);
    }
    throwIfAborted(options.signal);
    const results: BulkResult[] = [];
    const chunks = createChunks(transport, results, options);
    let index = 0;
    for await (const item of items) {
      try {
        await chunks.add(await lineOf(item, index), chunkSize);
      } catch (error) {
        results[index] = unsendable(error, item.idempotencyKey);
      }
      index += 1;
    }
    await chunks.flush();
    return results;
  };
}

interface Chunks {
  add(line: Line, chunkSize: number): Promise<void>;
  /** Sends what there is. Never rejects: what goes wrong stands in the results. */
  flush(): Promise<void>;
}

function createChunks(transport: Transport, results: BulkResult[], options: BulkOptions): Chunks {
  let chunk: Line[] = [];
  let bytes = 0;
  let failed: { readonly cause: unknown } | undefined;

  const flush = async (): Promise<void> => {
    const lines = chunk;
    [chunk, bytes] = [[], 0];
    if (lines.length === 0) return;
    if (failed !== undefined) {
      // What the one before met with, this one would meet with, too.
      for (const line of lines) results[line.index] = notSent(line, failed.cause);
    } else {
      await sendChunk(transport, lines, { results, options }).catch((cause: unknown) => {
        failed = { cause };
        for (const line of lines) results[line.index] ??= lost(line, cause);
      });
    }
    await Promise.all(lines.map((line) => letGo(line.lease, results[line.index])));
  };

  return {
    flush,
    add: async (line, chunkSize) => {
      const size = new TextEncoder().encode(line.text).byteLength + 1;
      if (bytes + size > CHUNK_BYTES_MAX) await flush();
      chunk.push(line);
      bytes += size;
      if (chunk.length >= chunkSize) await flush();
    },
  };
}

/** One request, and again for those of its items that could not be taken at the moment. */
async function sendChunk(
  transport: Transport,
  chunk: readonly Line[],
  { results, options }: { readonly results: BulkResult[]; readonly options: BulkOptions },
): Promise<void> {
  const { retry, clock } = transport.settings;
  let open = chunk;
  for (let tries = 0; ; tries += 1) {
    const answers = await sendLines(transport, open, options);
    for (const [at, line] of open.entries()) {
      const answer = answers[at];
      if (answer !== undefined) results[line.index] = answer;
    }
    open = open.filter(({ index }) => isForLater(results[index]));
    if (open.length === 0 || tries >= retry.retries) return;
    const waiting = { asked: undefined, random: clock.random };
    await clock.sleep(waitMsOf(tries, retry, waiting), options.signal);
  }
}

async function sendLines(
  transport: Transport,
  lines: readonly Line[],
  { wait, minimal, ...options }: BulkOptions,
): Promise<readonly BulkResult[]> {
  const { body } = await transport.send({
    ...{ ...REQUEST, repeat: 'safe', wait, isMinimal: minimal, options },
    rawBody: `[${lines.map(({ text }) => text).join(',')}]`,
    isAnswer: ({ results }) => Array.isArray(results) && results.length === lines.length,
  });
  const { results } = body as { readonly results: readonly RawResult[] };
  return lines.map(({ lease: { key } }, index) => resultOf(key, results[index]));
}

interface RawResult {
  readonly replayed?: boolean;
  readonly operation?: Operation;
  readonly problem?: unknown;
}

function resultOf(idempotencyKey: string, raw: RawResult | undefined): BulkResult {
  if (raw?.operation !== undefined) {
    const { operation, replayed = false } = raw;
    return { ok: true, idempotencyKey, replayed, operation };
  }
  const problem = problemIn(raw?.problem);
  if (problem === undefined) {
    const error = new SluiceError(
      'bad_response',
      'The result is neither an operation nor a problem',
      {
        ...{ isOutcomeUnknown: true, idempotencyKey },
      },
    );
    return { ok: false, idempotencyKey, error };
  }
  const { code, detail, status, retryable } = problem;
  const isOutcomeUnknown = status >= 500 && code !== 'backlog_full';
  const error = errorOf(code, `${code}: ${detail}`, {
    ...{ status, retryable, isOutcomeUnknown, idempotencyKey, problem, attempts: 1 },
  });
  return { ok: false, idempotencyKey, error };
}

const isForLater = (result: BulkResult | undefined): boolean =>
  result?.ok === false && result.error.retryable;

function lost({ lease: { key } }: Line, cause: unknown): BulkResult {
  const error =
    cause instanceof SluiceError
      ? underKey(cause, key)
      : new SluiceError('network', String(cause), { cause, isOutcomeUnknown: true });
  return { ok: false, idempotencyKey: key, error };
}

function notSent({ lease: { key } }: Line, cause: unknown): BulkResult {
  const options = { cause, retryable: true, idempotencyKey: key };
  const error = new SluiceError('not_sent', 'Not sent: a request before it failed', options);
  return { ok: false, idempotencyKey: key, error };
}

function unsendable(cause: unknown, idempotencyKey = ''): BulkResult {
  const error =
    cause instanceof SluiceError
      ? cause
      : new SluiceError('not_sent', `Not sent: ${String(cause)}`, { cause });
  return { ok: false, idempotencyKey, error };
}

/** As in a single write: forgotten when it is known what became of the item. */
async function letGo(lease: KeyLease, result: BulkResult | undefined): Promise<void> {
  const isKnown =
    result !== undefined &&
    (result.ok || (!result.error.isOutcomeUnknown && !lease.isResumed) || isRefusal(result));
  if (isKnown) await lease.settle();
  else lease.leave();
}

const isRefusal = (result: BulkResult): boolean =>
  !result.ok && [400, 409, 422].includes(result.error.status ?? 0) && !result.error.retryable;
