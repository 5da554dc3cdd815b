import type { ServerResponse } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SluiceEvent, StreamGap, StreamOptions } from '../../../client/src/index.ts';
import { createSseParser } from '../../../client/src/sse-parser.ts';
import { type Act, says, startScripted } from '../../support/client/scripted-server.ts';

const event = (number: number): string => {
  const data = { id: `op_${number}.e1`, type: 'user.created', data: { userId: 'ädä' } };
  return `id: ${number}-0\nevent: user.created\ndata: ${JSON.stringify(data)}\n\n`;
};
const ready = (position: string): string =>
  `retry: 5\n\nid: ${position}\nevent: ready\ndata: {"position":"${position}","resumed":true}\n\n`;

const open = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { 'content-type': 'text/event-stream' });

/** Sends these bytes and then breaks, or ends, or falls silent. */
const sends =
  (text: string, then: 'cut' | 'end' | 'silence'): Act =>
  (response) => {
    open(response).write(text, () => {
      if (then === 'cut') response.destroy();
      if (then === 'end') response.end();
    });
  };

async function take(
  server: Awaited<ReturnType<typeof startScripted>>,
  count: number,
  options: StreamOptions = {},
): Promise<(SluiceEvent | StreamGap)[]> {
  const got: (SluiceEvent | StreamGap)[] = [];
  const stream = server.client().events.stream(options);
  for await (const one of stream) if (got.push(one) === count) break;
  return got;
}

const idsOf = (events: readonly (SluiceEvent | StreamGap)[]) =>
  events.map((one) => (one.type === 'gap' ? `gap ${one.after}` : one.id));

describe('a stream', () => {
  it('that is cut in the middle of an event loses none and brings none twice', async () => {
    const cut = ready('0-1') + event(1) + event(2).slice(0, -20);
    // What the server sends again because it cannot know better is dropped by its id.
    const rest = ready('1-0') + event(1) + event(2) + event(3);
    const server = await startScripted(sends(cut, 'cut'), sends(rest, 'silence'));
    const events = await take(server, 3);
    expect(idsOf(events)).toEqual(['op_1.e1', 'op_2.e1', 'op_3.e1']);
    expect(server.seen.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '1-0']);
    expect(events[1]).toMatchObject({ data: { userId: 'ädä' } });
  });
  it('goes on after a heartbeat that has moved it along', async () => {
    const server = await startScripted(
      sends(`${ready('0-1')}: heartbeat\nid: 7-0\n\n`, 'end'),
      sends(ready('7-0') + event(8), 'silence'),
    );
    expect(idsOf(await take(server, 1, { lastEventId: '0-0' }))).toEqual(['op_8.e1']);
    const asked = server.seen.map(({ headers }) => headers['last-event-id']);
    expect(asked).toEqual(['0-0', '7-0']);
  });
  it('is connected again when it is silent, when the server stops, and after 503 or garbage', async () => {
    const server = await startScripted(
      sends(ready('0-1') + event(1), 'silence'),
      sends(`${ready('1-0')}event: bye\ndata: {"reason":"shutdown"}\n\n`, 'end'),
      says.problem(503, 'streams_full', { retryAfter: '0' }),
      says.html(502),
      says.html(200),
      says.cut,
      sends(ready('1-0') + 'event: user.created\ndata: {"half\n\n', 'silence'),
      sends(ready('1-0') + event(2), 'silence'),
    );
    const reasons: string[] = [];
    const events = await take(server, 2, {
      heartbeatTimeoutMs: 100,
      onReconnect: ({ code }) => reasons.push(code),
    });
    expect(idsOf(events)).toEqual(['op_1.e1', 'op_2.e1']);
    expect(reasons).toEqual([
      ...['client_timeout', 'shutting_down', 'streams_full', 'http_error'],
      ...['bad_response', 'network', 'bad_response'],
    ]);
  });
  it.each([
    ['a key that is not accepted', says.problem(401, 'unauthenticated'), 'unauthenticated'],
    ['a filter that is none', says.problem(400, 'invalid_request'), 'invalid_request'],
    [
      'a key that was revoked',
      sends('event: bye\ndata: {"reason":"revoked"}\n\n', 'end'),
      'unauthenticated',
    ],
  ])('ends with an error after %s', async (_what, act, code) => {
    const server = await startScripted(act);
    await expect(take(server, 1)).rejects.toMatchObject({ code });
    expect(server.seen.length).toBe(1);
  });
  it('gives up when it could not come back for long enough', async () => {
    const server = await startScripted(says.problem(503, 'streams_full'));
    const taken = take(server, 1, { giveUpAfterMs: 150 });
    await expect(taken).rejects.toMatchObject({ code: 'streams_full' });
    expect(server.seen.length).toBeGreaterThan(1);
  });
  it('says where something is missing', async () => {
    const gap = 'event: gap\ndata: {"after":"1-0"}\n\n';
    const server = await startScripted(sends(ready('5-0') + gap + event(6), 'silence'));
    expect(idsOf(await take(server, 2, { lastEventId: '1-0' }))).toEqual(['gap 1-0', 'op_6.e1']);
  });
  it('ends when it is aborted, and lets the connection go', async () => {
    let closed = 0;
    const server = await startScripted((response) => {
      response.on('close', () => (closed += 1));
      open(response).write(ready('0-1') + event(1));
    });
    const stop = new AbortController();
    const stream = server.client().events.stream({ signal: stop.signal });
    for await (const one of stream) {
      expect(one).toMatchObject({ id: 'op_1.e1' });
      expect(stream.lastEventId).toBe('1-0');
      stop.abort();
    }
    await expect.poll(() => closed).toBe(1);
    await take(server, 1);
    await expect.poll(() => closed).toBe(2);
  });
  it('asks for what is wanted', async () => {
    const server = await startScripted(sends(event(1), 'silence'));
    await take(server, 1, { userId: 'a+b', events: ['transfer.*', 'user.created'] });
    expect(server.seen[0]?.url).toBe('/v1/stream?userId=a%2Bb&events=transfer.*%2Cuser.created');
    await expect(take(server, 1, { events: [] })).rejects.toMatchObject({
      code: 'invalid_argument',
    });
  });
});

describe('server-sent events', () => {
  it('are the same however the bytes are cut, and however lines end', () => {
    const text = `\ufeffretry: 7\n: hello\n\n${event(1)}id: 9-0\n\ndata: a\ndata:b\ndata\n\n${event(2)}`;
    const whole = createSseParser().push(new TextEncoder().encode(text));
    expect(whole.map(({ id, data }) => [id, data?.slice(0, 5)])).toEqual([
      ...[
        [undefined, undefined],
        ['1-0', '{"id"'],
        ['9-0', undefined],
      ],
      ...[
        [undefined, 'a\nb\n'],
        ['2-0', '{"id"'],
      ],
    ]);
    const cuts = fc.array(fc.nat(text.length + 20), { maxLength: 12 });
    fc.assert(
      fc.property(cuts, fc.constantFrom('\n', '\r\n', '\r'), (places, end) => {
        const bytes = new TextEncoder().encode(text.replaceAll('\n', end));
        const parser = createSseParser();
        const edges = [0, ...places.toSorted((a, b) => a - b), bytes.length];
        const blocks = edges
          .slice(1)
          .flatMap((edge, index) => parser.push(bytes.slice(edges[index], edge)));
        // A lone CR at the very end may still become CRLF.
        const last = end === '\r' ? parser.push(new TextEncoder().encode('x')) : [];
        expect([...blocks, ...last]).toEqual(whole);
      }),
    );
  });
  it('that never end are not kept', () => {
    const parser = createSseParser();
    const piece = new TextEncoder().encode(`data: ${'x'.repeat(1_000_000)}\n`);
    const push = (): void => {
      for (let times = 0; times < 6; times += 1) parser.push(piece);
    };
    expect(push).toThrow(expect.objectContaining({ code: 'response_too_large' }));
  });
});
