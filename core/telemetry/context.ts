import { AsyncLocalStorage } from 'node:async_hooks';

/** Ids that every log line of a request, job or batch carries. */
export interface LogContext {
  readonly correlationId?: string;
  readonly tenantId?: string;
  readonly operationId?: string;
  readonly jobId?: string;
  readonly batchId?: string;
  readonly traceId?: string;
  /** Whatever is called out from here is a part of it; no log line has it. */
  readonly traceparent?: string;
}

const storage = new AsyncLocalStorage<LogContext>();

export function currentContext(): LogContext {
  return storage.getStore() ?? {};
}

/** Runs `work` with these ids added to those already in force. */
export function withContext<T>(context: LogContext, work: () => T): T {
  return storage.run({ ...storage.getStore(), ...context }, work);
}

/** Runs `work` with none: for what many requests or jobs share and one of them happens to start. */
export function withoutContext<T>(work: () => T): T {
  return storage.exit(work);
}
