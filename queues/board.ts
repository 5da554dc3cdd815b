import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type { IServerAdapter } from '@bull-board/api/typings/app';
import type { Queue } from 'bullmq';
import { type QueueName, lanePayload, operationsOf, queueSpecOf } from './catalog.ts';

export type BoardQueues = ReadonlyMap<QueueName, Queue>;

/** The queues of cells, those of new ones as they come. */
export interface QueueSource {
  follow(show: (queues: BoardQueues, brand: string | undefined) => void): void;
}

interface BoardOptions {
  readonly queues: QueueSource;
  readonly serverAdapter: IServerAdapter;
  /** Where an operator reads about the operation of a job. */
  readonly operationUrl: (operationId: string, tenantId: string) => string;
}

const POLL_SECONDS = 5;

/**
 * Bull Board over every queue of the catalogue. All of them are read-only here: a retry or an edit
 * in the board would go around the operation's own record (the caller refuses writes as well, since
 * the board's switch leaves some routes open).
 */
export function mountBoard({ queues, serverAdapter, operationUrl }: BoardOptions): void {
  const board = createBullBoard({
    queues: [],
    serverAdapter,
    options: {
      uiConfig: {
        boardTitle: 'Sluice queues',
        pollingInterval: { forceInterval: POLL_SECONDS },
        showWorkers: false, // a CLIENT LIST per queue and poll; /internal/autoscale has them
        hideDocsLink: true,
        miscLinks: [{ text: 'Admin', url: '/admin' }],
      },
    },
  });
  queues.follow((cell, brand) => {
    for (const [name, queue] of cell) {
      board.addQueue(
        new BullMQAdapter(queue, {
          readOnlyMode: true,
          allowRetries: false,
          ...(brand !== undefined && { prefix: `${brand}: ` }),
          description: queueSpecOf(name)?.summary ?? '',
          externalJobUrl: ({ data }) => linkOf(data, operationUrl),
        }),
      );
    }
  });
}

/** To the operation of a job; of several, to the first. */
function linkOf(data: unknown, operationUrl: BoardOptions['operationUrl']) {
  const payload = lanePayload.safeParse(data);
  const [first, ...others] = payload.success ? operationsOf(payload.data) : [];
  if (first === undefined) return { href: '#' };
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  return {
    displayText: `${first.operationId}${more}`,
    href: operationUrl(first.operationId, first.tenantId),
  };
}
