import { describe, expect, it } from 'vitest';
import { createFeed } from '../../../../api/realtime/feed.ts';
import { STREAM_START } from '../../../../core/kernel/stream-position.ts';

const event = (position: string) => {
  const known = { name: 'x', operationId: '', at: '', users: [] };
  return { position, id: position, ...known };
};

describe('a stream that was lost and began anew', () => {
  it('vouches for no position from before, though it was read from its start', () => {
    const feed = createFeed('t');
    feed.restart('5-0');
    feed.take({ events: [event('6-0')], last: '6-0' });
    expect(feed.isRecent('6-0')).toBe(true);
    feed.restart(STREAM_START);
    expect(feed.isRecent('6-0')).toBe(false);
    feed.take({ events: [event('9-0'), event('9-1')], last: '9-1' });
    expect(['5-0', '6-0', '8-9'].map((asked) => feed.isRecent(asked))).toEqual([
      false,
      false,
      false,
    ]);
    expect(['9-0', '9-1'].map((asked) => feed.isRecent(asked))).toEqual([true, true]);
  });
});
