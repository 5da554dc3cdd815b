import type { HoldId, OperationId } from '../../kernel/ids.ts';
import type { HoldTerms } from './documents.ts';
import type { Setting } from './settings.ts';

/** As stored. */
export interface StoredRequest {
  readonly _id: OperationId;
  readonly type: string;
  readonly input: unknown;
}

/** What the rebuilder has to know of operation types; their registry stands above the ledger. */
export interface RebuildRules {
  /** The types that set anything of a user's wallets. */
  readonly settingTypes: readonly string[];
  /** The type that holds others. */
  readonly batchType: string;
  /** In their order; of a batch those of its items. */
  settingsOf(request: StoredRequest): readonly Setting[];
  termsOf(request: StoredRequest, holdId: HoldId): HoldTerms;
}
