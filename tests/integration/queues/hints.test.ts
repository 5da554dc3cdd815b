import { describe, expect, it, onTestFinished } from 'vitest';
import { parseEnv, redisUrls } from '../../../config/env.ts';
import { type SettledHint, openHints, subscribeToHints } from '../../../core/events/hints.ts';
import { createRedisRoles } from '../../../core/infra/redis-roles.ts';
import { createLogger } from '../../../core/telemetry/logger.ts';
import { startOwnRedis } from '../../support/redis-server.ts';
import { until } from '../../support/wait.ts';

const hint = (operationId: `op_${string}`): SettledHint => ({ operationId });

async function openBoth() {
  const redis = await startOwnRedis();
  onTestFinished(() => redis.close());
  const roles = createRedisRoles({
    urls: redisUrls(parseEnv({ REDIS_URL: redis.url })),
    prefix: 'hints-test',
    logger: createLogger({ level: 'silent', service: 'test' }),
  });
  onTestFinished(() => roles.close());
  const messages: (readonly string[])[] = [];
  const hints = openHints(roles);
  onTestFinished(() => hints.close());
  const subscription = subscribeToHints(roles, (ids) => messages.push(ids));
  onTestFinished(() => subscription.close());
  const isUp = (): boolean => subscription.isLive() && hints.connection.status === 'ready';
  await until(isUp, 'both sides are connected');
  return { redis, hints, subscription, messages, isUp };
}

describe('hints that operations are settled', () => {
  it('arrive, those of one turn together and never too many at once', async () => {
    const { hints, messages } = await openBoth();
    hints.announce([hint('op_1'), hint('op_2')]);
    hints.announce([hint('op_3')]);
    await until(() => messages.length === 1, 'one message');
    expect(messages).toEqual([['op_1', 'op_2', 'op_3']]);
    hints.announce(Array.from({ length: 450 }, (_, index) => hint(`op_${index}`)));
    await until(() => messages.length === 4, 'three more messages');
    expect(messages.slice(1).map((ids) => ids.length)).toEqual([200, 200, 50]);
  });

  it('are dropped while Redis is away, and come again when it is back', async () => {
    const { redis, hints, subscription, messages, isUp } = await openBoth();
    await redis.stop();
    await until(() => !subscription.isLive(), 'the loss is noticed');
    for (let index = 0; index < 1_000; index += 1) hints.announce([hint(`op_${index}`)]);
    await redis.start();
    await until(isUp, 'both sides are connected again');
    await until(async () => {
      hints.announce([hint('op_back')]); // the subscription is renewed a moment later
      return messages.length > 0;
    }, 'a hint');
    expect(new Set(messages.flat())).toEqual(new Set(['op_back']));
  });

  it('of nothing are not sent', async () => {
    const { hints, messages } = await openBoth();
    hints.announce([]);
    hints.announce([hint('op_1')]);
    await until(() => messages.length > 0, 'a message');
    expect(messages).toEqual([['op_1']]);
  });
});
