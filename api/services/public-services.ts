import type { QueueDepth } from '../../queues/depth.ts';
import type { OpsPages } from '../../runtime/ops-pages.ts';

/** What the pages without a key work with. */
export interface PublicServices {
  readonly ops: OpsPages;
  readonly depths: () => Promise<readonly QueueDepth[]>;
  /** Accepted operations that wait for settlement, as last counted. */
  readonly openOperations: () => number;
  readonly lanes: number;
}
