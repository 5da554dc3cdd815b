import type { QueueDepth } from '../../queues/depth.ts';
import type { ErrorCode } from '../../core/kernel/errors.ts';
import type { Document } from '../http/document.ts';
import type { OpsPages } from '../../runtime/ops-pages.ts';

/** What the pages without a key work with. */
export interface PublicServices {
  readonly ops: OpsPages;
  readonly depths: () => Promise<readonly QueueDepth[]>;
  /** Accepted operations that wait for settlement, as last counted. */
  readonly openOperations: () => number;
  readonly lanes: number;
  /** Of the endpoints that are served. */
  readonly docs: Docs;
}

/** The documentation of what this process serves. */
export interface Docs {
  openApi(): Document;
  /** `/docs` and what is behind it, by that part of the address; undefined: there is no such page. */
  page(name: string): Document | undefined;
  asset(name: string): Document | undefined;
  problem(code: ErrorCode): Document;
  problems(): Document;
  llms(): Document;
  events(): Document;
}
