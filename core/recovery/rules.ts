import { LIMITS } from '../../config/limits.ts';
import { InvariantError } from '../kernel/errors.ts';
import { waitsInLine } from '../operations/line.ts';
import type { OperationHead } from '../operations/operation.ts';

/** What recovery does about an operation whose `nextCheckAt` has passed. */
export const OPERATION_RULES = {
  R1: 'let in and not moved: enqueue again unless its job is only slow, or put off',
  R2: 'running, its lease over: fence the old worker, back to accepted',
  R3: 'its time has come: let it in',
  R4: 'compensating, its lease over: fence the old worker, go on compensating',
  R5: 'interrupted too often: a human has to look',
  R12: 'waits for its turn in line: let it in when nothing older is ahead of it',
  R6: 'its deadline has passed while it waited: wake it, to go back',
  idle: 'waits for an outside event: look again much later',
} as const;
export type OperationRule = keyof typeof OPERATION_RULES;

/** Pure. `operation` is not terminal and overdue. */
export function ruleOf(operation: OperationHead, now: Date): OperationRule {
  switch (operation.status) {
    case 'waiting':
      return waitingRule(operation, now);
    case 'running':
      return isWornOut(operation) ? 'R5' : 'R2';
    case 'compensating':
      if (operation.leaseUntil === undefined) return operation.runAt === undefined ? 'R1' : 'R3';
      return isWornOut(operation) ? 'R5' : 'R4';
    case 'accepted':
      return 'R1';
    case 'succeeded':
    case 'rejected':
    case 'compensated':
    case 'canceled':
    case 'expired':
    case 'needs_attention':
      throw new InvariantError('what is settled is never overdue', { status: operation.status });
  }
}

/** An atomic operation that waits its turn is judged by its deadline when that has come. */
function waitingRule(operation: OperationHead, now: Date): OperationRule {
  const { deadline, pivotPassed, runAt, lane } = operation;
  const isTooLate = deadline !== undefined && deadline <= now && pivotPassed !== true;
  if (waitsInLine(operation) && (lane !== undefined || !isTooLate)) return 'R12';
  if (isTooLate) return 'R6';
  return runAt !== undefined && runAt <= now ? 'R3' : 'idle';
}

function isWornOut({ interruptions = 0 }: OperationHead): boolean {
  return interruptions >= LIMITS.interruptionsMax;
}
