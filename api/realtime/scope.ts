import type { BaseScope } from '../../core/access/scopes.ts';

/** What a key needs for streams and sockets. */
export const STREAM_SCOPE: BaseScope = 'ledger:read';
