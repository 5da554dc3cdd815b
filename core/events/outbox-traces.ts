import { type Tracer, isSampled } from '../telemetry/tracer.ts';
import type { OutboxRow } from './outbox.ts';

interface Origin {
  readonly operation: { readonly _id: string; readonly traceparent?: string };
}

/** Rows with the traces of their operations that are recorded, for what is made of their events. */
export function withTraces(
  tracer: Tracer | undefined,
  rows: OutboxRow[],
  origins: readonly Origin[],
): OutboxRow[] {
  if (tracer?.isOn !== true || rows.length === 0) return rows;
  const all = new Map<string, string>();
  for (const { operation } of origins) {
    const { _id, traceparent } = operation;
    if (isSampled(traceparent)) all.set(_id, traceparent);
  }
  if (all.size === 0) return rows;
  return rows.map((row) => {
    const traces = Object.fromEntries(
      row.events.flatMap(({ operationId = '' }) => {
        const traceparent = all.get(operationId);
        return traceparent === undefined ? [] : [[operationId, traceparent] as const];
      }),
    );
    return Object.keys(traces).length === 0 ? row : { ...row, traces };
  });
}
