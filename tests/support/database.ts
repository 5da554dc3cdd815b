import { createHash } from 'node:crypto';
import { expect, onTestFinished } from 'vitest';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import { relative } from 'node:path';
import { ROOT } from './tidy/tree.ts';

/** The servers that the tests run against, and a name that no other test uses. */
export interface TestDatabase {
  readonly mongoUrl: string;
  readonly redisUrl: string;
  /** Database name and QUEUE_PREFIX: a hash of the test's file and title. */
  readonly name: string;
}

function needed(name: 'MONGO_URL' | 'REDIS_URL'): string {
  const value = process.env[name];
  if (value === undefined || value === '') {
    throw new Error(`${name} is not set: \`npm test\` starts servers and sets it`);
  }
  return value;
}

/** The same for every run of a test, so that what a failed run left is where one looks for it. */
export function nameOfTest(): string {
  const { testPath = '', currentTestName = '' } = expect.getState();
  const source = `${relative(ROOT, testPath)}\n${currentTestName}`;
  return `sluice-t-${createHash('sha256').update(source).digest('hex').slice(0, 16)}`;
}

/**
 * An empty database and an empty key prefix for the current test: emptied before it, dropped when
 * it passes, kept (and named on the console) when it fails.
 */
export async function openTestDatabase(): Promise<TestDatabase> {
  const database = await emptyTestDatabase(nameOfTest());
  onTestFinished(async ({ task }) => {
    if (task.result?.state === 'fail') {
      console.error(`kept for a look: database and queue prefix ${database.name} (${task.name})`);
    } else {
      await clear(database);
    }
  });
  return database;
}

/** As above for a suite that shares one, which drops it itself. */
export async function emptyTestDatabase(name: string): Promise<TestDatabase> {
  const database = { mongoUrl: needed('MONGO_URL'), redisUrl: needed('REDIS_URL'), name };
  await clear(database);
  return database;
}

export async function clear({ mongoUrl, redisUrl, name }: TestDatabase): Promise<void> {
  const client = new MongoClient(mongoUrl);
  const redis = new Redis(redisUrl);
  try {
    await Promise.all([client.db(name).dropDatabase(), removeKeys(redis, name)]);
  } finally {
    await client.close();
    redis.disconnect();
  }
}

async function removeKeys(redis: Redis, prefix: string): Promise<void> {
  let cursor = '0';
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', 1_000);
    if (keys.length > 0) await redis.unlink(keys);
    cursor = next;
  } while (cursor !== '0');
}
