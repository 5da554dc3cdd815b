import { type BulkItem, type BulkOptions, type BulkResult, createBulk } from './bulk.ts';
import type { OperationInputs, SignalData } from './generated/operations.ts';
import { type Envelope, type Instant, envelopeOf } from './inputs.ts';
import { type List, type ListOptions, createList } from './list.ts';
import type { Operation, OperationStatus, OperationType, Timeline } from './operation.ts';
import { type CallOptions, type Query, type Transport, segment } from './transport.ts';
import { type Outcome, type WaitForOptions, createWaitFor } from './wait-for.ts';

/** Of what is done to an operation: the answer may wait for what comes of it. */
export interface ActOptions extends CallOptions {
  /** Seconds, 0 to 30: the answer waits for the outcome. */
  readonly wait?: number | undefined;
}

export interface WriteOptions extends CallOptions {
  /** Yours, where you have one; else a new one is made. */
  readonly idempotencyKey?: string | undefined;
}

export interface SubmitOptions extends ActOptions, WriteOptions, Envelope {}

export interface OperationFilter {
  readonly type?: OperationType | undefined;
  readonly status?: OperationStatus | undefined;
  readonly userId?: string | undefined;
  readonly ids?: readonly string[] | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly createdAfter?: Instant | undefined;
  readonly createdBefore?: Instant | undefined;
}

/** What the API answers to a write: `replayed` when it was sent before under the same key. */
export type Submitted<T extends string = string> = Operation<T> & { readonly replayed: boolean };

export interface Operations {
  /** Accepts an operation. It is stored when this resolves, and done when its status says so. */
  readonly submit: <T extends OperationType>(
    type: T,
    input: OperationInputs[T],
    options?: SubmitOptions,
  ) => Promise<Submitted<T>>;
  /** Any number of them, up to 1,000 a request; one result each, in order. Rejects for no item. */
  readonly submitBulk: (
    items: Iterable<BulkItem> | AsyncIterable<BulkItem>,
    options?: BulkOptions,
  ) => Promise<readonly BulkResult[]>;
  get(id: string, options?: ActOptions): Promise<Operation>;
  list(options?: OperationFilter & ListOptions): List<Operation>;
  timeline(id: string, options?: CallOptions): Promise<Timeline>;
  cancel(id: string, options?: ActOptions): Promise<Operation>;
  /** Answers what a step waits for (`waitingFor`). */
  signal<N extends keyof SignalData>(
    id: string,
    name: N,
    data: SignalData[N],
    options?: ActOptions,
  ): Promise<Operation>;
  /** Lets an operation that needs attention go on, or takes back what it did. */
  retry(id: string, how: RetryOperation, options?: ActOptions): Promise<Operation>;
  /** Closes an operation that needs attention with what a person has brought about. */
  resolve(id: string, how: ResolveOperation, options?: ActOptions): Promise<Operation>;
  /** Until it has come to something, or a person is needed, or the time is over. */
  readonly waitFor: (id: string, options?: WaitForOptions) => Promise<Outcome>;
}

export interface RetryOperation {
  /** Why; shown in the audit and the timeline. */
  readonly note: string;
  readonly assume?: 'applied' | 'absent';
  readonly direction?: 'forward' | 'back';
}

export interface ResolveOperation {
  readonly note: string;
  readonly status: 'succeeded' | 'rejected' | 'compensated' | 'canceled';
}

const PATH = '/v1/operations';

export function createOperations(transport: Transport): Operations {
  const act = async (
    id: string,
    action: { readonly path: string; readonly body?: object; readonly repeat: 'safe' | 'once' },
    options: ActOptions = {},
  ): Promise<Operation> => {
    const { path, body, repeat } = action;
    const { body: answer } = await transport.send({
      ...{ method: 'POST', path: `${PATH}/${segment(id)}/${path}`, body, repeat },
      ...{ wait: options.wait, options, isAnswer: hasId },
    });
    return answer as Operation;
  };

  return Object.freeze({
    submit: <T extends OperationType>(
      type: T,
      input: OperationInputs[T],
      options: SubmitOptions = {},
    ) => submitTo<T>(transport, { path: PATH, options }, { type, input, ...envelopeOf(options) }),
    submitBulk: createBulk(transport),
    get: async (id: string, options: ActOptions = {}) => {
      const { body } = await transport.send({
        ...{ method: 'GET', path: `${PATH}/${segment(id)}`, repeat: 'safe' },
        ...{ wait: options.wait, options, isAnswer: hasId },
      });
      return body as Operation;
    },
    list: (options: OperationFilter & ListOptions = {}) =>
      createList<Operation>(transport, { path: PATH, query: queryOf(options) }, options),
    timeline: async (id: string, options?: CallOptions) => {
      const path = `${PATH}/${segment(id)}/timeline`;
      const { body } = await transport.send({ method: 'GET', path, repeat: 'safe', options });
      return body as Timeline;
    },
    cancel: (id: string, options?: ActOptions) =>
      act(id, { path: 'cancel', repeat: 'safe' }, options),
    signal: async <N extends keyof SignalData>(
      ...[id, name, data, options]: [string, N, SignalData[N], ActOptions?]
    ) => act(id, { path: `signals/${segment(name)}`, body: data, repeat: 'safe' }, options),
    retry: (id: string, how: RetryOperation, options?: ActOptions) =>
      act(id, { path: 'retry', body: how, repeat: 'once' }, options),
    resolve: (id: string, how: ResolveOperation, options?: ActOptions) =>
      act(id, { path: 'resolve', body: how, repeat: 'once' }, options),
    waitFor: createWaitFor(transport),
  });
}

/** A write that becomes an operation: by its type, or at a path of its own. */
export async function submitTo<T extends string>(
  transport: Transport,
  { path, options }: { readonly path: string; readonly options: SubmitOptions },
  body: object,
): Promise<Submitted<T>> {
  const answer = await transport.send({
    ...{ method: 'POST', path, body, repeat: 'keyed', isAnswer: hasId },
    ...{ wait: options.wait, idempotencyKey: options.idempotencyKey, options },
  });
  const replayed = answer.headers.get('idempotent-replayed') === 'true';
  return { ...(answer.body as Operation<T>), replayed };
}

export function hasId(body: Readonly<Record<string, unknown>>): boolean {
  return typeof body['id'] === 'string';
}

export const timeText = (time: Instant | undefined): string | undefined =>
  time instanceof Date ? time.toISOString() : time;

function queryOf({ metadata = {}, ids, ...filter }: OperationFilter): Query {
  const { type, status, userId, idempotencyKey, createdAfter, createdBefore } = filter;
  const named = Object.entries(metadata).map(([key, value]) => [`metadata.${key}`, value] as const);
  return {
    ...{ type, status, userId, idempotencyKey, ids: ids?.join(',') },
    ...{ createdAfter: timeText(createdAfter), createdBefore: timeText(createdBefore) },
    ...Object.fromEntries(named),
  };
}
