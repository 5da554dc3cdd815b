import type { ServerResponse } from 'node:http';
import { LIMITS } from '../../config/limits.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { STREAM_START } from '../../core/kernel/stream-position.ts';
import type { EventFilter } from './filter.ts';
import type { CloseReason, Viewer } from './viewer.ts';

interface SseOptions {
  readonly response: ServerResponse;
  readonly tenantId: string;
  readonly filter: EventFilter;
  readonly after: string | undefined;
  /** How long the client waits before it connects again. */
  readonly retryMs: number;
  readonly clock: Clock;
}

const DRAIN_LOOK_MS = 50;

/** An answer of `text/event-stream` as a viewer; its head has been sent. */
export function createSseViewer(options: SseOptions): Viewer {
  const { response, tenantId, filter, after, retryMs, clock } = options;
  const write = (text: string | Uint8Array): void => {
    if (!response.writableEnded && !response.destroyed) response.write(text);
  };
  const tell = (event: string, data: object, position?: string): void => {
    const id = position === undefined ? '' : `id: ${position}\n`;
    write(`${id}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  write(`retry: ${retryMs}\n\n`); // at once, so that the client knows that it is connected

  return Object.freeze({
    transport: 'sse',
    tenantId,
    filter,
    after,
    begin: ({ position, isResumed }) => {
      tell('ready', { position, resumed: isResumed }, position);
    },
    gap: (asked) => {
      tell('gap', { after: asked });
    },
    send: (batch) => {
      write(batch.bytes());
    },
    // An id without data moves the client's last event id and is no event.
    beat: (position) => {
      const id = position === undefined || position === STREAM_START ? '' : `id: ${position}\n`;
      write(`: heartbeat\n${id}\n`);
    },
    isFull: () => response.writableLength > LIMITS.streamBufferBytesMax,
    drained: async () => {
      const endsMs = clock.monotonicMs() + LIMITS.streamDrainMs;
      while (response.writableLength > LIMITS.streamBufferBytesMax / 2) {
        if (response.destroyed || clock.monotonicMs() > endsMs) return false;
        await clock.sleep(DRAIN_LOOK_MS);
      }
      return !response.destroyed;
    },
    close: (reason: CloseReason) => {
      if (reason === 'slow') {
        response.destroy(); // what it has not read would only keep it waiting
        return;
      }
      tell('bye', { reason });
      response.end();
      clock.after(LIMITS.streamFarewellMs, () => {
        response.destroy();
      });
    },
  } satisfies Viewer);
}
