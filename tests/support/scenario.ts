import type { OperationType } from '../../core/operation-types/registry.ts';
import type { Outcome } from '../../core/settlement/decide.ts';
import type { OperationDoc } from '../../core/operations/operation.ts';
import {
  type MemoryLedger,
  createMemoryLedger,
  operationId,
  operationOf,
} from './memory-ledger.ts';

interface DoOptions {
  readonly at?: Date;
  readonly stripe?: number;
  readonly extras?: Partial<OperationDoc>;
}

/** A small cast in a memory ledger, one operation at a time. */
export interface Scenario {
  readonly ledger: MemoryLedger;
  do(type: OperationType, input: unknown, options?: DoOptions): Outcome;
  /** `succeeded`, or `rejected <code>`. */
  tell(type: OperationType, input: unknown, options?: DoOptions): string;
  /** The id that the last operation gives to what it creates. */
  lastId(prefix: 'trf' | 'hld'): string;
}

export const EUR = { currency: 'EUR' } as const;

/** Ann has 100 EUR and 40 EUR of bonus, Bob an empty wallet, Cyd a user without wallets. */
export function createScenario(): Scenario {
  const ledger = createMemoryLedger();
  let count = 0;
  const scenario: Scenario = {
    ledger,
    do: (type, input, options = {}) => {
      count += 1;
      const operation = operationOf(type, input, {
        _id: operationId(count),
        ...(options.at !== undefined && { createdAt: options.at }),
        ...options.extras,
      });
      const [outcome] = ledger.settle([operation], options);
      if (outcome === undefined) throw new Error('no outcome');
      return outcome;
    },
    tell: (type, input, options) => {
      const { status, error } = scenario.do(type, input, options);
      return error === undefined ? status : `${status} ${error.code}`;
    },
    lastId: (prefix) => `${prefix}_${operationId(count).slice(3)}`,
  };
  for (const userId of ['ann', 'bob']) scenario.do('user.create', { userId, wallets: [EUR] });
  scenario.do('user.create', { userId: 'cyd' });
  scenario.do('wallet.credit', { userId: 'ann', ...EUR, amount: 100 });
  scenario.do('bonus.award', { userId: 'ann', ...EUR, amount: 40 });
  return scenario;
}
