import { describe, expect, it } from 'vitest';
import { audienceOf } from '../../../../core/events/event-users.ts';

const both = { fromUserId: 'ann', toUserId: 'bob' };

describe('who may see an event', () => {
  it.each([
    ['transfer.settled', both, ['ann', 'bob']],
    ['operation.succeeded', { type: 'transfer', ...both }, ['ann', 'bob']],
    ['operation.rejected', { type: 'transfer', ...both, code: 'insufficient_funds' }, ['ann']],
    ['operation.expired', { type: 'transfer', ...both }, ['ann']],
    ['operation.needs_attention', { type: 'transfer', ...both }, ['ann']],
    ['operation.rejected', { type: 'hold.capture', userId: 'ann', toUserId: 'bob' }, ['ann']],
    ['operation.rejected', { type: 'transfer.reverse', ...both }, ['bob']],
    ['operation.rejected', { type: 'batch' }, []],
    ['wallet.frozen', { userId: 'ann' }, ['ann']],
    ['transfer.settled', { fromUserId: 'ann', toUserId: 'ann' }, ['ann']],
  ] as const)('%s of %j: %j', (name, data, users) => {
    expect(audienceOf({ name, data })).toEqual(users);
  });

  it('is what is stated, whatever the data names', () => {
    expect(audienceOf({ name: 'notification', data: both, users: ['cyd'] })).toEqual(['cyd']);
    expect(audienceOf({ name: 'notification', data: both, users: [] })).toEqual([]);
  });
});
