import { describe, expect, it } from 'vitest';
import {
  type OperationStatus,
  STATUSES,
  TERMINAL,
  assertMove,
  canMove,
  isSettled,
  isTerminal,
} from '../../../../core/operations/status.ts';

/** DESIGN 4.1 again, written from the other side: who may come from where. */
const FROM: Readonly<Record<OperationStatus, readonly OperationStatus[]>> = {
  accepted: ['running', 'waiting', 'needs_attention'],
  running: ['accepted', 'waiting'],
  waiting: ['accepted', 'running'],
  compensating: ['running', 'waiting', 'needs_attention'],
  succeeded: ['accepted', 'running', 'needs_attention'],
  rejected: ['accepted', 'running', 'needs_attention'],
  compensated: ['compensating', 'needs_attention'],
  canceled: ['accepted', 'running', 'waiting', 'compensating', 'needs_attention'],
  expired: ['accepted', 'running', 'waiting', 'compensating'],
  needs_attention: ['accepted', 'running', 'waiting', 'compensating'],
};

const MOVES = STATUSES.flatMap((from) => STATUSES.map((to) => [from, to] as const));

describe('the moves of an operation', () => {
  it.each(MOVES)('%s → %s is as the table says', (from, to) => {
    const isLegal = FROM[to].includes(from);
    expect(canMove(from, to)).toBe(isLegal);
    const move = () => {
      assertMove(from, to);
    };
    if (isLegal) expect(move).not.toThrow();
    else expect(move).toThrow(`move from ${from} to ${to} only by the table`);
  });

  it('end in statuses that nothing leaves', () => {
    expect([...TERMINAL].sort()).toEqual([
      ...['canceled', 'compensated', 'expired', 'rejected', 'succeeded'],
    ]);
    for (const status of TERMINAL) {
      expect(isTerminal(status)).toBe(true);
      expect(STATUSES.some((to) => canMove(status, to))).toBe(false);
    }
  });

  it('leave nobody waiting for what a human has to do', () => {
    expect(STATUSES.filter((status) => isSettled(status) && !isTerminal(status))).toEqual([
      'needs_attention',
    ]);
  });
});
