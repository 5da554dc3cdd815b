import { describe, expect, it } from 'vitest';
import { accept, openWorld, readOperations, settled, submission } from '../../support/platform.ts';
import { startWorker } from '../../support/settling.ts';

/** Nothing listens there. */
const NOWHERE = 'redis://127.0.0.1:1';

describe('with Redis away', () => {
  it('accepts at once, and a worker that comes later settles it without any job', async () => {
    const { node, open } = await openWorld();
    const cut = await open({ REDIS_URL: NOWHERE });
    const startedMs = performance.now();
    const operations = await accept(cut, [
      submission('user.create', { userId: 'ann', wallets: [{ currency: 'EUR' }] }),
      submission('wallet.credit', { userId: 'ann', currency: 'EUR', amount: 7 }),
    ]);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    const stored = await readOperations(node, operations);
    expect(stored.map(({ status }) => status)).toEqual(['accepted', 'accepted']);
    startWorker(node);
    const done = await settled(node, operations);
    expect(done.map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
  });
});
