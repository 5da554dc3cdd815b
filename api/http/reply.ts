import type { ServerResponse } from 'node:http';

/** What an endpoint answers. `text`: as it is; else `body` as JSON. */
export interface Reply<B = unknown> {
  readonly status: number;
  readonly body?: B;
  readonly text?: string | Buffer;
  readonly contentType?: string;
  /** A list: the header comes several times. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Instead of a body: gets the response once its head is sent, and ends it some day. */
  readonly stream?: (response: ServerResponse) => void;
}
