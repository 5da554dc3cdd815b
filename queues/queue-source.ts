import type { BoardQueues, QueueSource } from './board.ts';

/** Remembers the queues of the cells, for a board that is made later or that is made already. */
export function createQueueSource(): QueueSource & {
  add(queues: BoardQueues, brand: string | undefined): void;
} {
  const known: { readonly queues: BoardQueues; readonly brand: string | undefined }[] = [];
  const shows: Parameters<QueueSource['follow']>[0][] = [];
  return Object.freeze({
    add: (queues: BoardQueues, brand: string | undefined) => {
      known.push({ queues, brand });
      for (const show of shows) show(queues, brand);
    },
    follow: (show: Parameters<QueueSource['follow']>[0]) => {
      shows.push(show);
      for (const { queues, brand } of known) show(queues, brand);
    },
  });
}
