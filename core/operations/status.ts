import { assert } from '../kernel/assert.ts';

export const STATUSES = [
  'accepted',
  'running',
  'waiting',
  'compensating',
  'succeeded',
  'rejected',
  'compensated',
  'canceled',
  'expired',
  'needs_attention',
] as const;
export type OperationStatus = (typeof STATUSES)[number];

/**
 * Every legal move; anything else is an invariant error. Terminal statuses have no way out, but
 * for `needs_attention`, which waits for a human.
 */
const NEXT = {
  accepted: [
    'running',
    'waiting',
    'succeeded',
    'rejected',
    'canceled',
    'expired',
    'needs_attention',
  ],
  running: [
    'accepted',
    'waiting',
    'compensating',
    'succeeded',
    'rejected',
    'canceled',
    'expired',
    'needs_attention',
  ],
  waiting: ['accepted', 'running', 'compensating', 'canceled', 'expired', 'needs_attention'],
  compensating: ['compensated', 'canceled', 'expired', 'needs_attention'],
  needs_attention: ['accepted', 'compensating', 'succeeded', 'rejected', 'compensated', 'canceled'],
  succeeded: [],
  rejected: [],
  compensated: [],
  canceled: [],
  expired: [],
} as const satisfies Record<OperationStatus, readonly OperationStatus[]>;

export const TERMINAL: readonly OperationStatus[] = STATUSES.filter(
  (status) => NEXT[status].length === 0,
);

/** What somebody, or time, still has to move. */
export const OPEN = ['accepted', 'running', 'waiting', 'compensating'] as const;

/** True when nothing can change the operation any more. */
export function isTerminal(status: OperationStatus): boolean {
  return NEXT[status].length === 0;
}

/** True when a request waiting for the outcome need not wait longer (a human has to act). */
export function isSettled(status: OperationStatus): boolean {
  return isTerminal(status) || status === 'needs_attention';
}

/** True when it goes on only once somebody outside has said something. */
export function isForPeople(operation: {
  readonly status: OperationStatus;
  readonly steps?: readonly { readonly status: string }[];
}): boolean {
  if (operation.status === 'needs_attention') return true;
  const { status, steps = [] } = operation;
  return status === 'waiting' && steps.some((step) => step.status === 'waiting');
}

export function canMove(from: OperationStatus, to: OperationStatus): boolean {
  return NEXT[from].some((status) => status === to);
}

/** @throws InvariantError when the move is not in the table. */
export function assertMove(from: OperationStatus, to: OperationStatus): void {
  assert(canMove(from, to), `operations move from ${from} to ${to} only by the table`, {
    from,
    to,
  });
}
