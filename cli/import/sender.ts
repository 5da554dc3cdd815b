import type { ApiClient } from '../api-client.ts';
import { type RetryPolicy, createRetry } from '../retry.ts';
import { type BulkReply, postItems } from './bulk.ts';
import type { Problem } from './record.ts';
import type { Settled } from './window.ts';

/** A line that is ready to be sent. */
export interface Prepared {
  readonly line: number;
  readonly text: string;
  readonly endByte: number;
  /** Its item as one line of JSON. */
  readonly body: string;
  /** What later lines may call it by. */
  readonly name?: string;
  /** Its key was made of its place and text. */
  readonly isKeyMade: boolean;
}

/** Collects lines into chunks and sends them, one chunk after the other. */
export interface Sender {
  /** Lines collected and not sent. */
  readonly pending: number;
  add(prepared: Prepared): Promise<void>;
  flush(): Promise<void>;
}

/** Since when the server knows a line: this answer, another try of the same lines, or before them. */
export type KnownSince = 'now' | 'this-run' | 'before';

interface SenderOptions {
  readonly client: ApiClient;
  readonly retry: RetryPolicy;
  readonly itemsMax: number;
  readonly bytesMax: number;
  /** Waits until that many more operations may be outstanding. */
  readonly room: (count: number) => Promise<void>;
  /** A chunk up to this line is about to be sent. */
  readonly onSending: (last: Prepared) => void;
  readonly onAccepted: (prepared: Prepared, operation: Settled, since: KnownSince) => void;
  readonly onRefused: (prepared: Prepared, problem: Problem) => void;
  /** Every line of a chunk has been answered. */
  readonly onSent: (last: Prepared) => void;
}

export function createSender(options: SenderOptions): Sender {
  let chunk: Prepared[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    const last = chunk.at(-1);
    if (last === undefined) return;
    await options.room(chunk.length);
    options.onSending(last);
    await deliver(chunk, options);
    chunk = [];
    bytes = 0;
    options.onSent(last);
  };
  return {
    get pending() {
      return chunk.length;
    },
    add: async (prepared) => {
      const size = Buffer.byteLength(prepared.body) + 1;
      if (chunk.length > 0 && bytes + size > options.bytesMax) await flush();
      chunk.push(prepared);
      bytes += size;
      if (chunk.length >= options.itemsMax) await flush();
    },
    flush,
  };
}

/** Until each item is accepted or refused; items that the server could not take now are sent again. */
async function deliver(chunk: readonly Prepared[], options: SenderOptions): Promise<void> {
  const retry = createRetry(options.retry);
  let items = chunk;
  let isRepeated = false;
  while (items.length > 0) {
    const reply = await postItems(
      options.client,
      items.map(({ body }) => body),
    );
    if (reply.kind === 'refused') {
      await deliverHalves(items, reply.problem, options);
      return;
    }
    isRepeated ||= reply.isRepeated;
    const again = settle(items, { ...reply, isRepeated }, options);
    isRepeated = true;
    if (again !== undefined) await retry.failed(`the server answers ${again.reason}`);
    items = again?.items ?? [];
  }
}

/** Finds the item that spoils the request, so that the others go on without it. */
async function deliverHalves(
  items: readonly Prepared[],
  problem: Problem,
  options: SenderOptions,
): Promise<void> {
  const [only] = items;
  if (only !== undefined && items.length === 1) {
    options.onRefused(only, problem);
    return;
  }
  const middle = Math.ceil(items.length * 0.5);
  await deliver(items.slice(0, middle), options);
  await deliver(items.slice(middle), options);
}

function settle(
  items: readonly Prepared[],
  { outcomes, isRepeated }: Extract<BulkReply, { kind: 'items' }>,
  options: SenderOptions,
): { readonly items: readonly Prepared[]; readonly reason: string } | undefined {
  const again: Prepared[] = [];
  let reason = '';
  for (const [index, prepared] of items.entries()) {
    const outcome = outcomes[index];
    if (outcome?.kind === 'accepted') {
      const known = isRepeated ? 'this-run' : 'before';
      options.onAccepted(prepared, outcome.operation, outcome.isKnown ? known : 'now');
    } else if (outcome?.kind === 'refused') {
      options.onRefused(prepared, outcome.problem);
    } else {
      again.push(prepared);
      reason = outcome?.reason ?? 'nothing';
    }
  }
  return again.length === 0 ? undefined : { items: again, reason };
}
