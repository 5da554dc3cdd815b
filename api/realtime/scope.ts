import type { Scope } from '../../core/access/api-key.ts';

/** What a key needs for streams and sockets. */
export const STREAM_SCOPE: Scope = 'ledger:read';
