import { NEW_SAGA, type SagaState } from './machine.ts';
import type { OperationDoc } from '../operations/operation.ts';

type StoredState = Pick<OperationDoc, 'steps' | 'pivotPassed' | 'turnBack' | 'status'>;

/** A saga's state, as its operation's record has it. */
export function stateOf(operation: StoredState): SagaState {
  const { steps, pivotPassed, turnBack, status } = operation;
  return {
    ...NEW_SAGA,
    ...(steps !== undefined && { steps }),
    ...(pivotPassed !== undefined && { pivotPassed }),
    ...(turnBack !== undefined && { turnBack }),
    ...(status === 'compensating' && { status }),
  };
}
