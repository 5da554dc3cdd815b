import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { EventSource } from 'eventsource';
import { openQueues } from '../../../queues/producer.ts';
import { startNotifications } from '../../../workers/notifications.ts';
import { ADMIN_KEY, expectProblem, useApi } from '../../support/api.ts';
import { succeed } from '../../support/http-fixtures.ts';
import { follow, openStream } from '../../support/stream-client.ts';
import { until } from '../../support/wait.ts';

const api = useApi({ worker: true, sagas: true });
const eur = { currency: 'EUR' };
const stream = (query = ''): string => `${api.url}/v1/stream${query}`;
interface Paid {
  readonly id: string;
  readonly result: { readonly transferId: string };
}
const pay = async (fromUserId: string, toUserId: string, amount: number): Promise<Paid> => {
  const body = { fromUserId, toUserId, amount, ...eur };
  return (await succeed(api, '/v1/transfers', body)) as Paid;
};

/** What is done reaches the stream a little later, and would be news to a client that comes between. */
async function streamed(event: string, userId: string): Promise<void> {
  const stop = new AbortController();
  const headers = { authorization: `Bearer ${ADMIN_KEY}`, 'last-event-id': '0-0' };
  const response = await fetch(stream(`?events=${event}&userId=${userId}`), {
    headers,
    signal: AbortSignal.any([stop.signal, AbortSignal.timeout(30_000)]),
  });
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes(`event: ${event}`)) break;
  }
  expect(text).toContain(`event: ${event}`);
  stop.abort();
}

beforeAll(async () => {
  const queues = openQueues(api.platform);
  api.platform.lifecycle.onClose('event queues', () => queues.close());
  startNotifications({ platform: api.platform, publisher: queues.publisher });
  for (const userId of ['ann', 'bob', 'cyd']) {
    const wallets = [{ ...eur, overdraftLimit: '1000000' }];
    await succeed(api, '/v1/users', { userId, wallets });
  }
  await streamed('user.created', 'cyd');
});

describe('GET /v1/stream', () => {
  it('shows what happens, as it happens', async () => {
    const client = await follow(stream(), ADMIN_KEY);
    expect(client.headers['content-type']).toBe('text/event-stream');
    expect(client.headers['cache-control']).toBe('no-store');
    expect(client.text()).toMatch(/^retry: [123]\d{3}\n\n/);
    const { id, result } = await pay('ann', 'bob', 5);
    await until(() => client.events().length === 2, 'both events are here');
    expect(client.events()).toEqual([
      {
        event: 'operation.succeeded',
        lastEventId: expect.stringMatching(/^\d+-\d+$/),
        data: {
          id: `${id}.e0`,
          type: 'operation.succeeded',
          operationId: id,
          timestamp: expect.stringMatching(/^20.*Z$/),
          data: { type: 'transfer', fromUserId: 'ann', toUserId: 'bob' },
        },
      },
      expect.objectContaining({
        event: 'transfer.settled',
        data: expect.objectContaining({
          data: {
            transferId: result.transferId,
            fromUserId: 'ann',
            toUserId: 'bob',
            currency: 'EUR',
            amount: '5',
          },
        }),
      }),
    ]);
  });

  it('has what the timeline of an operation says of it', async () => {
    const client = await follow(stream(), ADMIN_KEY);
    const { id } = await pay('bob', 'ann', 3);
    await pay('bob', 'cyd', 3);
    await until(() => client.events().length === 4, 'the events of both are here');
    const timeline = await api.ask(`/v1/operations/${id}/timeline`);
    const streamed = client.events().map(({ data }): unknown => data);
    expect(timeline.body.stream).toEqual(streamed.slice(0, 2));
    expect(timeline.body.stream[0]).toMatchObject({ operationId: id });
  });

  it('shows a user what concerns them, and what work on their holds and transfers does', async () => {
    const anns = await follow(stream('?userId=ann'), ADMIN_KEY);
    const cyds = await follow(stream('?userId=cyd'), ADMIN_KEY);
    const paid = await pay('ann', 'bob', 7);
    await pay('bob', 'cyd', 1);
    const hold = await succeed(api, '/v1/holds', { userId: 'ann', amount: 3, ...eur });
    const { holdId } = hold.result;
    const release = { type: 'hold.release', input: { holdId } };
    await succeed(api, '/v1/operations', release);
    const again = await api.post('/v1/operations', release, { headers: { prefer: 'wait=20' } });
    expect(again.body.status).toBe('rejected');
    const { transferId } = paid.result;
    await succeed(api, '/v1/operations', { type: 'transfer.reverse', input: { transferId } });
    await until(() => anns.events().length >= 9, 'what concerns ann is here');
    expect(
      anns
        .events()
        .map(({ event, data }): unknown[] => [event, data.data.type ?? data.data.amount]),
    ).toEqual([
      ...[
        ['operation.succeeded', 'transfer'],
        ['transfer.settled', '7'],
      ],
      ...[
        ['operation.succeeded', 'hold.place'],
        ['hold.placed', '3'],
      ],
      ...[
        ['operation.succeeded', 'hold.release'],
        ['hold.released', '3'],
      ],
      ['operation.rejected', 'hold.release'],
      ...[
        ['operation.succeeded', 'transfer.reverse'],
        ['transfer.reversed', '7'],
      ],
    ]);
    expect(cyds.events().map(({ event }) => event)).toEqual([
      'operation.succeeded',
      'transfer.settled',
    ]);
  });

  it('shows the events that were asked for', async () => {
    const some = await follow(stream('?events=transfer.*,hold.placed'), ADMIN_KEY);
    const all = await follow(stream(), ADMIN_KEY);
    await pay('ann', 'bob', 1);
    await succeed(api, '/v1/holds', { userId: 'ann', amount: 1, ...eur });
    await until(() => all.events().length === 4, 'all events are here');
    expect(some.events().map(({ event }) => event)).toEqual(['transfer.settled', 'hold.placed']);
  });

  it('goes on after the event that a client has got, by header or by query', async () => {
    const first = await follow(stream(), ADMIN_KEY);
    await pay('ann', 'bob', 1);
    await until(() => first.events().length === 2, 'the first events are here');
    first.close();
    const missed = [await pay('ann', 'bob', 2), await pay('ann', 'bob', 3)];
    const ids = missed.flatMap(({ id }) => [`${id}.e0`, `${id}.e1`]);
    const byHeader = await follow(stream(), ADMIN_KEY, { 'last-event-id': first.lastEventId() });
    const byQuery = await follow(stream(`?lastEventId=${first.lastEventId()}`), ADMIN_KEY);
    const live = await pay('ann', 'bob', 4);
    for (const client of [byHeader, byQuery]) {
      await until(() => client.events().length >= 6, 'what was missed and what followed is here');
      expect(client.ids()).toEqual([...ids, `${live.id}.e0`, `${live.id}.e1`]);
      expect(client.frames[0]).toMatchObject({ event: 'ready', data: { resumed: true } });
      expect(client.frames.some(({ event }) => event === 'gap')).toBe(false);
    }
  });

  it('says so when what a client has got is not kept any more, and gives what is', async () => {
    const client = await follow(stream('?lastEventId=1-1'), ADMIN_KEY);
    await until(() => client.events().length > 0, 'what is kept is here');
    expect(client.frames[0]).toMatchObject({ event: 'ready', data: { resumed: false } });
    expect(client.frames[1]).toMatchObject({ event: 'gap', data: { after: '1-1' } });
    const beyond = await follow(stream('?lastEventId=9999999999999-0'), ADMIN_KEY);
    await until(() => beyond.ids().length === client.ids().length, 'the same is here');
    expect(beyond.frames[1]?.event).toBe('gap');
    expect(beyond.ids()).toEqual(client.ids());
  });

  it('is understood by an EventSource', async () => {
    const source = new EventSource(stream('?events=transfer.settled'), {
      fetch: (input, init) =>
        fetch(input, {
          ...init,
          headers: { ...init.headers, authorization: `Bearer ${ADMIN_KEY}` },
        }),
    });
    onTestFinished(() => {
      source.close();
    });
    const got: string[] = [];
    let isReady = false;
    source.addEventListener('ready', () => {
      isReady = true;
    });
    source.addEventListener('transfer.settled', ({ data }) => got.push(String(data)));
    await until(() => isReady, 'it is ready');
    const { id } = await pay('ann', 'bob', 6);
    await until(() => got.length > 0, 'the event is here');
    expect(JSON.parse(got[0] ?? '')).toMatchObject({ id: `${id}.e1` });
  });
});

describe('who may see what', () => {
  it('another tenant sees nothing of it', async () => {
    await api.newTenant('other');
    const key = await api.newKey({ tenantId: 'other', scopes: ['ledger:read'] });
    const theirs = await follow(stream(), key);
    const theirsToo = await follow(stream('?userId=ann'), key);
    const ours = await follow(stream(), ADMIN_KEY);
    const old = await follow(stream(`?lastEventId=0-0`), key);
    await pay('ann', 'bob', 1);
    await until(() => ours.events().length === 2, 'our events are here');
    for (const client of [theirs, theirsToo, old]) expect(client.events()).toEqual([]);
  });

  it('a key without ledger:read sees nothing', async () => {
    const key = await api.newKey({ scopes: ['operations:write'] });
    expectProblem(await api.ask('/v1/stream', { key }), 403, 'forbidden');
    expectProblem(await api.ask('/v1/stream', { key: null }), 401, 'unauthenticated');
  });

  it('a key that is revoked sees no more', async () => {
    const key = await api.newKey({ scopes: ['ledger:read'] });
    const client = await follow(stream(), key);
    const other = await follow(stream(), ADMIN_KEY);
    await api.ask(`/v1/keys/${key.split('_')[1] ?? ''}`, { method: 'DELETE' });
    await until(() => !client.isOpen(), 'the stream is closed', 14_000);
    expect(client.frames.at(-1)).toMatchObject({ event: 'bye', data: { reason: 'revoked' } });
    expect(other.isOpen()).toBe(true);
  });
});

describe('an event has one audience', () => {
  it('a message to one user is not shown to another whom its data names', async () => {
    const [anns, bobs, all] = [
      await follow(stream('?userId=ann'), ADMIN_KEY),
      await follow(stream('?userId=bob'), ADMIN_KEY),
      await follow(stream('?events=notification'), ADMIN_KEY),
    ];
    const content = { subject: 'For ann', text: 'Only for ann' };
    const data = { toUserId: 'bob', fromUserId: 'bob' };
    await api.post('/v1/notifications', { channels: ['realtime'], userId: 'ann', content, data });
    await until(() => all.events().length === 1, 'the message is in the stream of the tenant');
    await until(() => anns.text().includes('Only for ann'), 'ann has it');
    await pay('ann', 'bob', 1);
    await until(() => bobs.events().length >= 2, 'what came after is here');
    expect(bobs.text()).not.toContain('Only for ann');
  });

  it('nobody is told why the payment of another failed', async () => {
    const [anns, bobs] = [
      await follow(stream('?userId=ann'), ADMIN_KEY),
      await follow(stream('?userId=bob'), ADMIN_KEY),
    ];
    const far = { fromUserId: 'ann', toUserId: 'bob', amount: 900_000_000, ...eur };
    const refused = await api.post('/v1/transfers', far, { headers: { prefer: 'wait=20' } });
    expect(refused.body.status).toBe('rejected');
    const { id } = await pay('ann', 'bob', 1);
    await until(() => bobs.ids().includes(`${id}.e1`), 'what came after is here');
    await until(() => anns.ids().includes(`${id}.e1`), 'for ann as well');
    expect(bobs.text()).not.toContain(refused.body.id);
    expect(anns.text()).toContain(refused.body.id);
  });
});

describe('what makes no sense', () => {
  it.each(['?events=Transfer', '?events=', '?events=a..b', '?userId=', '?lastEventId=x', '?x=1'])(
    '%s is refused',
    async (query) => {
      expectProblem(await api.ask(`/v1/stream${query}`), 400, 'invalid_request');
    },
  );

  it('a Last-Event-ID that is none of ours is refused, an empty one is none', async () => {
    const headers = { 'last-event-id': 'abc' };
    expectProblem(await api.ask('/v1/stream', { headers }), 400, 'invalid_header');
    expect((await openStream(stream(), ADMIN_KEY, { 'last-event-id': '' })).status).toBe(200);
  });

  it('HEAD is answered and left', async () => {
    const answer = await api.ask('/v1/stream', { method: 'HEAD' });
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
  });
});
