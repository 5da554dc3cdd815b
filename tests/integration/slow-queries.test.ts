import { expect, it, onTestFinished } from 'vitest';
import { openMongo } from '../../core/infra/mongo.ts';
import type { Logger } from '../../core/telemetry/logger.ts';
import { openTestDatabase } from '../support/database.ts';

it('logs what takes longer, with the names of its fields and none of the values', async () => {
  const { mongoUrl: url, name } = await openTestDatabase();
  const lines: object[] = [];
  const logger: Pick<Logger, 'warn'> = { warn: (line: object) => void lines.push(line) };
  const slow = { ms: 100, logger: logger as Logger };
  const mongo = await openMongo({ url, database: name, appName: 'test', slow });
  onTestFinished(() => mongo.close());
  const things = mongo.db.collection('things');
  await things.insertMany([{ owner: 'secret' }]);
  lines.length = 0; // creating a collection may take its time
  await things.findOne({ owner: 'secret' });
  expect(lines).toEqual([]);
  const filter = {
    $or: [{ owner: 'secret', age: { $gt: 41_000 } }, { $where: 'sleep(150) || true' }],
  };
  await things.find(filter).sort({ age: -1 }).toArray();
  expect(lines).toEqual([
    expect.objectContaining({
      command: 'find',
      collection: 'things',
      fields: ['$or.owner', '$or.age.$gt', '$or.$where'],
      sort: ['age'],
      isFailed: false,
    }),
  ]);
  expect(JSON.stringify(lines)).not.toMatch(/secret|41000|sleep/);
});
