import { describe, expect, it } from 'vitest';
import { isKnownFilter } from '../../../../../core/notifications/routing/event-names.ts';

describe('a filter', () => {
  it.each([
    ['*', true],
    ['transfer.*', true],
    ['transfer.settled', true],
    ['operation.needs_attention', true],
    ['webhook-endpoint.*', true],
    ['foo', false],
    ['nonsense.*', false],
    ['transfer.settled.*', false],
    ['transfer', false],
    ['operation.running', false],
  ])('%s can match something: %s', (filter, isKnown) => {
    expect(isKnownFilter(filter)).toBe(isKnown);
  });
});
