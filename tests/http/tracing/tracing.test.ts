import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiUnderTest, openApi } from '../../support/api.ts';
import { clear, emptyTestDatabase, nameOfTest } from '../../support/database.ts';
import { succeed } from '../../support/http-fixtures.ts';
import {
  type OtlpReceiver,
  type ReceivedSpan,
  startOtlpReceiver,
} from '../../support/otlp-receiver.ts';
import { payment } from '../../support/payment-scenario.ts';
import { until } from '../../support/wait.ts';

let receiver: OtlpReceiver;
let hooks: Server;
let hooksUrl = '';
let api: ApiUnderTest;
let name = '';

beforeAll(async () => {
  receiver = await startOtlpReceiver();
  hooks = createServer((request, response) => {
    request.resume();
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => hooks.listen(0, '127.0.0.1', resolve));
  hooksUrl = `http://127.0.0.1:${(hooks.address() as AddressInfo).port}`;
  name = nameOfTest();
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    WEBHOOK_ALLOW_PRIVATE: 'loopback' as const,
  };
  api = await openApi(name, { sagas: true, notifications: true, env });
});
afterAll(async () => {
  await api.close();
  await clear(await emptyTestDatabase(name));
  hooks.closeAllConnections();
  hooks.close();
  await receiver.close();
});

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CLIENT = 'b7ad6b7169203331';
const asked = (flags: string, trace = TRACE) => ({ traceparent: `00-${trace}-${CLIENT}-${flags}` });

const ofTrace = (trace: string): readonly ReceivedSpan[] =>
  receiver.spans().filter(({ traceId }) => traceId === trace);

async function spansOf(trace: string, names: readonly string[]) {
  const found = (): ReadonlyMap<string, ReceivedSpan> =>
    new Map(ofTrace(trace).map((span) => [span.name, span]));
  await until(
    () => names.filter((one) => !found().has(one)).length === 0,
    () => `${names.join(', ')} among ${[...found().keys()].join(', ')}`,
  );
  return found();
}

const parents = (spans: ReadonlyMap<string, ReceivedSpan>) => {
  const names = new Map([...spans.values()].map(({ spanId, name: of }) => [spanId, of]));
  return Object.fromEntries(
    [...spans].map(([of, { parentSpanId = 'none' }]) => [
      of,
      names.get(parentSpanId) ?? parentSpanId,
    ]),
  );
};

describe('a trace', () => {
  it('of one transfer has its request, its acceptance, its settlement and what was told of it', async () => {
    const wallets = [{ currency: 'EUR' }];
    await succeed(api, '/v1/users', { userId: 'ann', wallets });
    await succeed(api, '/v1/users', { userId: 'bob', wallets });
    await succeed(api, '/v1/credits', { userId: 'ann', currency: 'EUR', amount: 500 });
    const hook = { url: `${hooksUrl}/hook`, events: ['transfer.*'] };
    expect((await api.post('/v1/webhook-endpoints', hook)).status).toBe(201);
    const transfer = { fromUserId: 'ann', toUserId: 'bob', currency: 'EUR', amount: 5 };
    const { body } = await api.post('/v1/transfers', transfer, { headers: asked('01') });
    const spans = await spansOf(TRACE, [
      'POST /v1/transfers',
      'ingest.commit',
      'settlement.settle',
      'notification.route',
      'deliver webhook',
    ]);
    expect(parents(spans)).toEqual({
      'POST /v1/transfers': CLIENT,
      'ingest.commit': 'POST /v1/transfers',
      'settlement.settle': 'POST /v1/transfers',
      'notification.route': 'POST /v1/transfers',
      'deliver webhook': 'notification.route',
    });
    const settled = spans.get('settlement.settle');
    const told = Object.fromEntries(
      (settled?.attributes ?? []).map(({ key, value }) => [key, value.stringValue]),
    );
    expect(told).toMatchObject({
      'sluice.operation.id': body.id,
      'sluice.operation.status': 'succeeded',
    });
    // The batch is a trace of its own; each has a link to the other.
    const [link] = settled?.links ?? [];
    const batchOf = () => receiver.spans().find(({ spanId }) => spanId === link?.spanId);
    await until(() => batchOf() !== undefined, 'the span of the batch');
    expect(batchOf()).toMatchObject({ name: 'settlement.batch', traceId: link?.traceId });
    expect(batchOf()?.traceId).not.toBe(TRACE);
    expect(batchOf()?.links.map(({ traceId }) => traceId)).toContain(TRACE);
    // What is stored goes on from our own span, in the client's trace.
    const timeline = await api.ask(`/v1/operations/${body.id}/timeline`);
    const own = spans.get('POST /v1/transfers')?.spanId;
    expect(timeline.body.traceparent).toBe(`00-${TRACE}-${String(own)}-01`);
    const text = JSON.stringify(ofTrace(TRACE));
    expect(text).not.toContain('"500"');
    expect(text).not.toMatch(/\bann\b|\bbob\b/);
  });

  it('of a deposit has its run, its steps and the calls to the provider', async () => {
    await succeed(api, '/v1/users', { userId: 'cat', wallets: [{ currency: 'EUR' }] });
    const trace = TRACE.replace(/^0af7/, '0af8');
    const deposit = { ...payment, userId: 'cat', amount: 700 };
    await api.post('/v1/deposits', deposit, { headers: asked('01', trace) });
    const spans = await spansOf(trace, [
      'saga.run',
      'step authorise',
      'payment sandbox.authorise',
      'step capture',
      'payment sandbox.capture',
      'step credit',
    ]);
    expect(parents(spans)).toMatchObject({
      'saga.run': 'POST /v1/deposits',
      'step authorise': 'saga.run',
      'payment sandbox.authorise': 'step authorise',
      'payment sandbox.capture': 'step capture',
      'step credit': 'saga.run',
    });
  });

  it('that the client does not record is not recorded here', async () => {
    const trace = TRACE.replace(/^0af7/, '0af9');
    const credit = { userId: 'ann', currency: 'EUR', amount: 5 };
    const headers = { ...asked('00', trace), prefer: 'wait=20' };
    const { body } = await api.post('/v1/credits', credit, { headers });
    expect(body.status).toBe('succeeded');
    const next = TRACE.replace(/^0af7/, '0afa');
    await api.post('/v1/credits', credit, { headers: asked('01', next) });
    await spansOf(next, ['settlement.settle']);
    expect(ofTrace(trace)).toEqual([]);
    expect((await api.ask(`/v1/operations/${body.id}/timeline`)).body.traceparent).toMatch(/-00$/);
  });

  it('begins here when the client brings none', async () => {
    const credit = { userId: 'ann', currency: 'EUR', amount: 5 };
    const { body } = await api.post('/v1/credits', credit, { headers: { prefer: 'wait=20' } });
    const timeline = await api.ask(`/v1/operations/${body.id}/timeline`);
    const trace = String(timeline.body.traceparent).slice(3, 35);
    const spans = await spansOf(trace, ['POST /v1/credits', 'settlement.settle']);
    expect(spans.get('POST /v1/credits')?.parentSpanId ?? '').toBe('');
  });
});
