import { expect, it, onTestFinished } from 'vitest';
import { defineScript } from '../../../core/infra/redis-script.ts';
import { startOwnRedis } from '../../support/redis-server.ts';

it('a script is sent as text once, and again only to a server that has forgotten it', async () => {
  const { client: redis, close } = await startOwnRedis();
  onTestFinished(close);
  const script = defineScript('return { KEYS[1], ARGV[1] }');
  const texts = async (): Promise<number> => {
    const stats = await redis.info('commandstats');
    const calls = [...stats.matchAll(/cmdstat_(?:eval|script\|load):calls=(\d+)/g)];
    return calls.reduce((sum, [, count]) => sum + Number(count), 0);
  };
  for (let call = 0; call < 5; call += 1) {
    expect(await script.run(redis, ['key'], [call])).toEqual(['key', String(call)]);
  }
  expect(await texts()).toBe(1);
  await redis.script('FLUSH');
  expect(await script.run(redis, ['key'], ['after'])).toEqual(['key', 'after']);
  expect(await texts()).toBe(2);
});
