import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { DeliveryDoc } from '../../core/notifications/delivery/delivery.ts';
import { type Notifying, PAID, finished, openNotifying, seedPeople } from '../support/notifying.ts';
import { type WorkerProcess, startWorkerProcess } from '../support/faults/worker-process.ts';
import { until } from '../support/wait.ts';
import { allOf } from '../../core/kernel/every.ts';

/** A worker process of the test's own database, with the stand-ins of the test. */
async function start(
  { node, standIns }: Notifying,
  extra: Readonly<Record<string, string>> = {},
): Promise<WorkerProcess> {
  const { env } = node.platform;
  const worker = await startWorkerProcess(
    {
      NODE_ENV: 'test',
      MONGO_URL: env.MONGO_URL,
      MONGO_DB: env.MONGO_DB,
      REDIS_URL: env.REDIS_URL,
      QUEUE_PREFIX: env.QUEUE_PREFIX,
      ...standIns.env,
      ...extra,
    },
    'notify-worker',
  );
  onTestFinished(async () => {
    worker.kill('SIGKILL');
    await worker.ended;
  });
  return worker;
}

const webhooksOf = ({ standIns }: Notifying) => standIns.receiver.received('webhooks');

async function emptyRedis({ node }: Notifying): Promise<void> {
  const redis = new Redis(node.platform.env.REDIS_URL);
  try {
    const keys = await redis.keys(`${node.platform.env.QUEUE_PREFIX}*`);
    if (keys.length > 0) await redis.del(keys);
  } finally {
    redis.disconnect();
  }
}

/** An endpoint that answers 500 until it is told to be well. */
async function brokenServer(): Promise<{
  readonly url: string;
  readonly calls: () => number;
  mend(): void;
}> {
  let calls = 0;
  let status = 500;
  const server = createServer((request, response) => {
    calls += 1;
    request.resume();
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    calls: () => calls,
    mend: () => {
      status = 204;
    },
  };
}

describe('a worker that is killed', { timeout: 240_000 }, () => {
  it.each([
    ['notify.after-insert', 1],
    ['notify.after-publish', 1],
    ['notify.after-claim', 1],
    ['notify.after-send', 2],
    ['notify.after-journal', 1],
  ] as const)('at %s has its delivery finished by another one, under one id', async (at, sent) => {
    const notifying = await openNotifying({ isSilent: true });
    await notifying.endpoint('shop');
    const first = await start(notifying, { FAILPOINTS: at });
    await notifying.happen(PAID);
    expect(await first.ended).toBe('SIGKILL');
    await start(notifying);
    const [delivery, ...others] = await finished(notifying, 1, 45_000);
    expect(others).toEqual([]);
    expect(delivery?.status).toBe('sent');
    const ids = webhooksOf(notifying).map(({ headers }) => headers['webhook-id']);
    expect(ids).toEqual(Array.from({ length: sent }, () => delivery?._id));
    expect(allOf(webhooksOf(notifying), ({ verdict }) => verdict === 'verified')).toBe(true);
  });

  it('between putting deliveries off and giving them a job has them sent all the same', async () => {
    const notifying = await openNotifying({ isSilent: true });
    await notifying.endpoint('shop');
    const { receiver } = notifying.standIns;
    receiver.inject({ on: 'webhooks', kind: 'throttle', retryAfter: '1', times: 20 });
    const first = await start(notifying, { FAILPOINTS: 'notify.before-requeue' });
    await notifying.happen(...Array.from({ length: 20 }, () => PAID));
    expect(await first.ended).toBe('SIGKILL');
    const written = await notifying.deliveries({ status: 'pending' });
    expect(written.some(({ deferral }) => deferral?.code === 'throttled')).toBe(true);
    await start(notifying);
    const deliveries = await finished(notifying, 20, 90_000);
    expect(allOf(deliveries, ({ status }) => status === 'sent')).toBe(true);
  });

  it('in the middle of a job of several has each of them finished, and none held responsible', async () => {
    const notifying = await openNotifying({ isSilent: true });
    await notifying.endpoint('shop');
    const first = await start(notifying, { FAILPOINTS: 'notify.after-send@30' });
    await notifying.happen(...Array.from({ length: 60 }, () => PAID));
    expect(await first.ended).toBe('SIGKILL');
    await start(notifying);
    const deliveries = await finished(notifying, 60, 90_000);
    expect(allOf(deliveries, ({ status }) => status === 'sent')).toBe(true);
    expect(deliveries.some(({ attempts }) => attempts.length > 1)).toBe(true);
    expect(allOf(deliveries, ({ attemptsUsed }) => attemptsUsed === 1)).toBe(true);
    const ids = webhooksOf(notifying).map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids).size).toBe(60);
  });

  it('after a text message was handed over leaves it at that: it must not come twice', async () => {
    const notifying = await openNotifying({ isSilent: true });
    await seedPeople(notifying);
    const contacts = { email: 'ann@example.test' };
    await notifying.run([
      'user.update',
      { userId: 'ann', contacts, notifications: { 'security.email': false } },
    ]);
    await notifying.node.platform.mongo.db.collection('outbox').deleteMany({});
    const first = await start(notifying, { FAILPOINTS: 'notify.after-send' });
    await notifying.happen({ name: 'user.blocked', data: { userId: 'ann' } });
    expect(await first.ended).toBe('SIGKILL');
    await start(notifying);
    // The mail that she does not want is told as skipped.
    const deliveries = await finished(notifying, 2, 45_000);
    const delivery = deliveries.find(({ channel }) => channel === 'sms');
    expect(delivery).toMatchObject({ status: 'uncertain' });
    expect(delivery?.attempts.map(({ outcome }) => outcome)).toEqual(['interrupted']);
    expect(notifying.standIns.receiver.received('sms')).toHaveLength(1);
  });

  it('again and again loses nothing, and repeats little', async () => {
    const notifying = await openNotifying({ isSilent: true });
    await notifying.endpoint('shop');
    const count = 1_000;
    for (let row = 0; row < count / 100; row += 1) {
      await notifying.happen(...Array.from({ length: 100 }, () => PAID));
    }
    const distinct = () =>
      new Set(webhooksOf(notifying).map(({ headers }) => headers['webhook-id'])).size;
    for (const share of [0.2, 0.5, 0.8]) {
      const worker = await start(notifying);
      await until(() => distinct() >= count * share, `${share} of them are sent`, 45_000);
      worker.kill('SIGKILL');
      await worker.ended;
    }
    await start(notifying);
    const deliveries = await finished(notifying, count, 90_000);
    expect(deliveries).toHaveLength(count);
    expect(allOf(deliveries, ({ status }) => status === 'sent')).toBe(true);
    expect(distinct()).toBe(count);
    const repeats = webhooksOf(notifying).length - count;
    console.log(`${repeats} duplicates per ${count} deliveries, with 3 workers killed`);
    expect(repeats).toBeLessThanOrEqual(3 * 128); // what three of them may have had under way
  });
});

describe('circuit breakers', { timeout: 120_000 }, () => {
  it('opened by one process stop another one; both go on when the endpoint is mended', async () => {
    const notifying = await openNotifying({ isSilent: true });
    const broken = await brokenServer();
    await notifying.endpoint('broken', { url: broken.url });
    const first = await start(notifying);
    await notifying.happen(...Array.from({ length: 15 }, () => PAID));
    await until(
      async () => (await notifying.deliveries()).some(isKeptBack),
      'the first process opens the breaker',
      20_000,
    );
    const calls = broken.calls();
    expect(calls).toBeLessThanOrEqual(10);
    first.kill('SIGKILL');
    await first.ended;
    await start(notifying);
    await notifying.happen(...Array.from({ length: 15 }, () => PAID));
    // A process takes seconds to start on a busy machine; the breaker lets nothing through for 30.
    await until(
      async () => {
        const list = await notifying.deliveries();
        return list.length === 30 && list.filter(isKeptBack).length >= 20;
      },
      'the second process keeps back what is new',
      25_000,
    );
    expect(broken.calls()).toBe(calls);
    broken.mend();
    const deliveries = await finished(notifying, 30, 60_000);
    expect(allOf(deliveries, ({ status }) => status === 'sent')).toBe(true);
  });
});

function isKeptBack({ deferral }: DeliveryDoc): boolean {
  return deferral?.code === 'breaker_open';
}

describe('an emptied Redis', { timeout: 120_000 }, () => {
  it('loses no delivery that waits for its time', async () => {
    const notifying = await openNotifying({ isSilent: true });
    await notifying.endpoint('shop');
    const { receiver } = notifying.standIns;
    receiver.inject({ on: 'webhooks', kind: 'throttle', retryAfter: '4', times: 20 });
    await start(notifying);
    await notifying.happen(...Array.from({ length: 20 }, () => PAID));
    await until(async () => {
      const list = await notifying.deliveries();
      return list.length === 20 && allOf(list, ({ deferral }) => deferral?.code === 'throttled');
    }, 'all of them wait');
    await emptyRedis(notifying);
    const deliveries = await finished(notifying, 20, 60_000);
    expect(allOf(deliveries, ({ status }) => status === 'sent')).toBe(true);
    expect(allOf(deliveries, ({ seq }) => seq > 1)).toBe(true);
    expect(webhooksOf(notifying).filter(({ status }) => status === 204)).toHaveLength(20);
  });
});
