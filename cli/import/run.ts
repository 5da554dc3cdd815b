import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { STATUSES, isSettled } from '../../core/operations/status.ts';
import { type ApiClient, createApiClient } from '../api-client.ts';
import type { Connection } from '../connection.ts';
import { CliError, EXIT } from '../exit.ts';
import type { RetryPolicy } from '../retry.ts';
import { getOperations } from './bulk.ts';
import { prepare } from './prepare.ts';
import { LINE_BYTES_MAX, type Place, type Problem, type SourceRecord } from './record.ts';
import { type RefusedFile, createRefusedFile, refusedPathOf } from './refused-file.ts';
import { type Refs, createRefs } from './refs.ts';
import { type KnownSince, type Prepared, type Sender, createSender } from './sender.ts';
import { type Format, STDIN, openSource } from './source.ts';
import { type Tally, countUp, createTally } from './tally.ts';
import { type EarlierTries, type UnfinishedMark, markUnfinished } from './unfinished.ts';
import {
  type Outstanding,
  type Settled,
  type SettlementWindow,
  createSettlementWindow,
} from './window.ts';

export interface ImportOptions {
  /** `-`: standard input. */
  readonly file: string;
  readonly format?: Format;
  /** Generated keys are made from it instead of the file's name. */
  readonly keyPrefix?: string;
  /** Where refused lines go; default: `<file>.refused.ndjson`. */
  readonly refusedPath?: string;
  readonly chunkItems: number;
  /** Accepted operations that may be unsettled at a time. */
  readonly windowIds: number;
  readonly retryForMs: number;
  readonly firstAnswerMs: number;
  /** Give up when nothing settles for this long. */
  readonly settleForMs: number;
  /** False: done as soon as everything is accepted. */
  readonly waits: boolean;
}

export interface ImportProgress {
  readonly tally: Tally;
  readonly bytesTotal: number | undefined;
  readonly outstanding: number;
  /** Why it is waiting, while it does. */
  readonly notice: string | undefined;
}

export interface ImportDeps {
  readonly connection: Connection;
  readonly signal: AbortSignal;
  readonly stdin?: Readable;
  readonly onProgress?: (progress: ImportProgress) => void;
}

/** An import; its tally can be read at any time, also after it has failed. */
export interface Import {
  readonly tally: Tally;
  readonly refused: Pick<RefusedFile, 'path' | 'count'>;
  readonly outstanding: number;
  /** What an earlier run of this very file had come to, when it goes on with it. */
  readonly earlier: EarlierTries | undefined;
  /** An import of another file of this name was cut short. */
  readonly isAfterAnother: boolean;
  /** @throws CliError, or the reason of the signal; what was accepted until then stays accepted. */
  run(): Promise<void>;
}

const REFS_MAX = 100_000;
const WINDOW_CHARS_MAX = 32_000_000;
const PROGRESS_EVERY_MS = 100;
const NOTICE_EXTRA_MS = 500;
const SETTLED: ReadonlySet<string> = new Set(STATUSES.filter(isSettled));

export function createImport(options: ImportOptions, deps: ImportDeps): Import {
  const { file } = options;
  const source = openSource(file, options.format, deps.stdin ?? process.stdin);
  const tally = createTally();
  const defaultPath = refusedPathOf(file === STDIN ? source.name : file);
  const refused = createRefusedFile(otherThan(file, options.refusedPath ?? defaultPath));
  const { signal, stop } = linkedSignal(deps.signal);
  const notice = createNotice();
  const retry: RetryPolicy = { forMs: options.retryForMs, signal, onWait: notice.set };
  const { connection } = deps;
  const client = createApiClient({ connection, retry, firstAnswerMs: options.firstAnswerMs });
  const refs = createRefs(REFS_MAX);
  const flow = createFlow({
    ...{ options, client, retry, tally, refused, refs, signal },
    mark: () => mark,
  });
  const keyPrefix = options.keyPrefix ?? (file === STDIN ? undefined : source.name);

  let mark: UnfinishedMark | undefined;
  const report = (): void => {
    const { bytesTotal } = source;
    deps.onProgress?.({ tally, bytesTotal, outstanding: flow.outstanding, notice: notice.get() });
  };
  return {
    tally,
    refused,
    get outstanding() {
      return flow.outstanding;
    },
    get earlier() {
      return mark?.earlier;
    },
    get isAfterAnother() {
      return mark?.isOfAnother ?? false;
    },
    run: async () => {
      mark = file === STDIN ? undefined : markUnfinished(file, keyPrefix ?? '');
      const timer = setInterval(report, PROGRESS_EVERY_MS);
      try {
        for await (const record of source.records(signal)) {
          await feed(record, { flow, refs, keyPrefix, tally });
        }
        await flow.finish();
        mark?.remove();
      } catch (error) {
        deps.signal.throwIfAborted(); // whatever the interruption broke is not the reason
        throw error;
      } finally {
        stop();
        clearInterval(timer);
        refused.close();
        report();
      }
    },
  };
}

function otherThan(file: string, path: string): string {
  if (resolve(path) !== resolve(file)) return path;
  throw new CliError(`The refused lines cannot go into the imported file ${file}.`, EXIT.usage);
}

/** A signal of our own that also ends with the given one: an import that fails stops its helpers. */
function linkedSignal(outer: AbortSignal) {
  const inner = new AbortController();
  const onAbort = (): void => {
    inner.abort(outer.reason);
  };
  if (outer.aborted) onAbort();
  outer.addEventListener('abort', onAbort);
  const stop = (): void => {
    outer.removeEventListener('abort', onAbort);
    inner.abort(new Error('the import is over'));
  };
  return { signal: inner.signal, stop };
}

/** Why it waits, for as long as it does and a moment longer, so that it can be read. */
function createNotice() {
  let text: string | undefined;
  let untilMs = 0;
  return {
    set: (reason: string, waitMs: number): void => {
      text = reason;
      untilMs = performance.now() + waitMs + NOTICE_EXTRA_MS;
    },
    get: () => (performance.now() < untilMs ? text : undefined),
  };
}

interface Feed {
  readonly flow: Flow;
  readonly refs: Refs;
  readonly keyPrefix: string | undefined;
  readonly tally: Tally;
}

async function feed(record: SourceRecord, { flow, refs, keyPrefix, tally }: Feed): Promise<void> {
  tally.lines += 1;
  if ('problem' in record) {
    flow.refuse(record, record.problem);
    return;
  }
  const context = { refs, keyPrefix };
  let preparation = prepare(record.item, record, context);
  if (preparation.kind === 'wait') {
    await flow.sender.flush();
    preparation = prepare(record.item, record, context);
  }
  if (preparation.kind === 'ready') {
    refs.declare(preparation.prepared.name);
    await flow.sender.add(preparation.prepared);
  } else if (preparation.kind === 'refused') {
    flow.refuse(record, preparation.problem);
  }
}

interface FlowDeps {
  readonly options: ImportOptions;
  readonly client: ApiClient;
  readonly retry: RetryPolicy;
  readonly tally: Tally;
  readonly refused: RefusedFile;
  readonly refs: Refs;
  readonly signal: AbortSignal;
  readonly mark: () => UnfinishedMark | undefined;
}

/** From a line that is ready to its outcome. */
interface Flow {
  readonly sender: Sender;
  readonly outstanding: number;
  refuse(place: Place, problem: Problem): void;
  /** Sends what is left and waits for the outcomes. */
  finish(): Promise<void>;
}

function createFlow(deps: FlowDeps): Flow {
  const { options, client, tally, refused, refs } = deps;
  const book = createBookkeeping(deps);
  const window: SettlementWindow = createSettlementWindow({
    idsMax: options.windowIds,
    charsMax: WINDOW_CHARS_MAX,
    stallMs: options.settleForMs,
    signal: deps.signal,
    look: async (ids) => {
      const found = await getOperations(client, ids);
      return found.filter(({ status }) => SETTLED.has(status));
    },
    onSettled: book.settled,
  });
  const refuse = ({ line, text }: Pick<Place, 'line' | 'text'>, problem: Problem): void => {
    countUp(tally.refused, problem.code);
    refused.add({ line, text, ...problem });
  };
  const sentBefore = (): number => deps.mark()?.earlier?.sentLine ?? 0;
  let sentLine = 0;
  const noteProgress = (line: number): void => {
    sentLine = Math.max(sentLine, line, sentBefore());
    const { fresh = 0, taken = 0 } = deps.mark()?.earlier ?? {};
    deps.mark()?.note({ sentLine, fresh: fresh + tally.fresh, taken: taken + tally.taken });
  };
  const onAccepted = (prepared: Prepared, operation: Settled, since: KnownSince): void => {
    if (since === 'now') tally.fresh += 1;
    else tally.known += 1;
    if (since === 'before' && prepared.isKeyMade && prepared.line > sentBefore()) {
      tally.taken += 1;
      if (tally.taken === 1) noteProgress(prepared.line);
    }
    refs.accept(prepared.name, operation.id);
    const { line, text } = prepared;
    const outstanding = { operationId: operation.id, line, text };
    const isTold = operation.status === 'succeeded' || operation.error !== undefined;
    if (SETTLED.has(operation.status) && isTold) book.settled(outstanding, operation);
    else if (options.waits) window.add(outstanding);
  };
  const sender = createSender({
    client,
    retry: deps.retry,
    itemsMax: options.chunkItems,
    bytesMax: LINE_BYTES_MAX,
    room: (count) => window.room(count),
    onSending: ({ line }) => {
      noteProgress(line);
    },
    onAccepted,
    onRefused: (prepared, problem) => {
      refs.refuse(prepared.name);
      refuse(prepared, problem);
    },
    onSent: ({ endByte }) => {
      tally.bytesDone = endByte;
    },
  });
  return {
    sender,
    get outstanding() {
      return window.size;
    },
    refuse: (place, problem) => {
      refuse(place, problem);
      if (sender.pending === 0) tally.bytesDone = place.endByte;
    },
    finish: async () => {
      await sender.flush();
      await window.drained();
    },
  };
}

function createBookkeeping({ tally, refused }: Pick<FlowDeps, 'tally' | 'refused'>) {
  return {
    settled: ({ operationId, line, text }: Outstanding, { status, error }: Settled): void => {
      if (status === 'succeeded') {
        tally.succeeded += 1;
        return;
      }
      const code = error?.code ?? status;
      countUp(tally.rejected, code);
      refused.add({ line, text, operationId, code, detail: error?.detail ?? `It is ${status}` });
    },
  };
}
