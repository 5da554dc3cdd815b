import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient } from '../../../client/src/index.ts';
import { openQueues } from '../../../queues/producer.ts';
import { startNotifications } from '../../../workers/notifications.ts';
import { ADMIN_KEY, useApi } from '../../support/api.ts';
import { type TcpProxy, startTcpProxy } from '../../support/faults/tcp-proxy.ts';

const api = useApi({ worker: true });
let proxy: TcpProxy | undefined;

beforeAll(async () => {
  const queues = openQueues(api.platform);
  api.platform.lifecycle.onClose('event queues', () => queues.close());
  startNotifications({ platform: api.platform, publisher: queues.publisher });
  proxy = await startTcpProxy({ port: api.port });
});
afterAll(() => proxy?.close());

const TRANSFERS = 40;

describe('a stream of the API that is cut again and again', () => {
  it('brings every event once, in their order', async () => {
    const baseUrl = `http://127.0.0.1:${proxy?.port ?? 0}`;
    const direct = createClient({ baseUrl: api.url, apiKey: ADMIN_KEY });
    const wallets = [{ currency: 'EUR', overdraftLimit: 1_000n }];
    for (const userId of ['ann', 'bob']) {
      await direct.users.create({ userId, wallets }, { wait: 20 });
    }
    const stop = new AbortController();
    const following = createClient({
      baseUrl,
      apiKey: ADMIN_KEY,
      retries: { baseMs: 1, capMs: 20 },
    });
    const amounts: string[] = [];
    let cuts = 0;
    const stream = following.events.stream({
      ...{ events: ['transfer.settled'], lastEventId: '0-0', signal: stop.signal },
      onReconnect: () => (cuts += 1),
    });
    const follow = async (): Promise<void> => {
      for await (const event of stream) {
        if (event.type === 'transfer.settled') amounts.push(event.data.amount);
        if (amounts.length % 10 === 5) {
          proxy?.break('cut');
          proxy?.heal();
        }
        if (amounts.length === TRANSFERS) stop.abort();
      }
    };
    const followed = follow();
    const transfer = { fromUserId: 'ann', toUserId: 'bob', currency: 'EUR' };
    for (let amount = 1; amount <= TRANSFERS; amount += 1) {
      await direct.transfers.create({ ...transfer, amount });
    }
    await followed;
    expect(amounts).toEqual(Array.from({ length: TRANSFERS }, (_, index) => String(index + 1)));
    expect(cuts).toBeGreaterThan(2);
  });
});
