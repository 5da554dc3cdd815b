import type { StreamEvent } from '../../core/events/stream-tail.ts';
import type { EventFilter } from './filter.ts';

export type Transport = 'sse' | 'socket';
export type CloseReason = 'slow' | 'revoked' | 'shutdown';

/** Some events on their way to all clients of a group; each form is made once, when first asked. */
export interface Batch {
  readonly events: readonly StreamEvent[];
  /** Where a client that has got these resumes. */
  readonly position: string;
  /** As an event stream: bytes, so that they are not encoded for each client. */
  bytes(): Uint8Array;
  /** As documents. */
  views(): readonly EventView[];
}

/** An event as clients see it: the same document that a webhook brings. */
export interface EventView {
  readonly id: string;
  readonly type: string;
  /** When it happened. */
  readonly timestamp: string;
  /** Absent where no operation is behind it. */
  readonly operationId?: string;
  readonly data: Readonly<Record<string, string>>;
}

/** Where a client starts. */
export interface Start {
  readonly position: string;
  readonly isResumed: boolean;
}

/** One open stream, or one subscription of a socket. None of its methods may throw. */
export interface Viewer {
  readonly transport: Transport;
  readonly tenantId: string;
  readonly filter: EventFilter;
  /** Where to resume; undefined: now. */
  readonly after: string | undefined;
  begin(start: Start): void;
  /** The events after its position are not all there any more. */
  gap(asked: string): void;
  send(batch: Batch): void;
  /** A sign of life, and where it stands. */
  beat(position: string | undefined): void;
  /** It gets what its group gets from here on; `cast` of any of the group reaches all of it. */
  readonly cast?: { enter(group: string): void; send(group: string, batch: Batch): void };
  /** More is waiting for it to be read than may. */
  isFull(): boolean;
  /** True once it has read what it was sent; false: it does not, or has gone. */
  drained(): Promise<boolean>;
  close(reason: CloseReason): void;
}

export function viewOf({ id, name, operationId, at, data = {} }: StreamEvent): EventView {
  return { id, type: name, timestamp: at, ...(operationId !== '' && { operationId }), data };
}

/** An event stands in many batches when clients resume at different places. */
const frames = new WeakMap<StreamEvent, string>();

function frameOf(event: StreamEvent): string {
  const known = frames.get(event);
  if (known !== undefined) return known;
  const data = JSON.stringify(viewOf(event));
  const frame = `id: ${event.position}\nevent: ${event.name}\ndata: ${data}\n\n`;
  frames.set(event, frame);
  return frame;
}

export function createBatch(events: readonly StreamEvent[], position: string): Batch {
  let bytes: Uint8Array | undefined;
  let views: readonly EventView[] | undefined;
  return {
    events,
    position,
    bytes: () => (bytes ??= Buffer.from(events.map(frameOf).join(''))),
    views: () => (views ??= events.map(viewOf)),
  };
}
